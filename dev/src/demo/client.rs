//! A client of the API.

use anyhow::{Context as _, Result};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// A client, logged in or not.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// A client that is not logged in.
    pub(super) fn new(base: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned(), token: None }
    }

    /// The same, logged in.
    pub(super) async fn log_in(&self, email: &str, password: &str) -> Result<Self> {
        let credentials = serde_json::json!({ "email": email, "password": password });
        let session = self.post("/v1/auth/login", &credentials).await?;
        Ok(Self { token: Some(text(&session, "/access_token")?.to_owned()), ..self.clone() })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.send(path, self.request(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(path, self.request(Method::POST, path).json(body)).await
    }

    /// A page as a browser requests it.
    pub(super) async fn page(&self, path: &str) -> Result<String> {
        let request = self.request(Method::GET, path).header("Accept-Language", "en");
        let answer = request.send().await.with_context(|| format!("{path} cannot be reached"))?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// A POST that can be repeated safely.
    pub(super) async fn post_once(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        self.send(path, self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }

    /// A change of the version that was read.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        rev: &Value,
        body: &Value,
    ) -> Result<Value> {
        let request = self.request(method, path).header("If-Match", format!("\"{rev}\""));
        self.send(path, request.json(body)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, path: &str, request: RequestBuilder) -> Result<Value> {
        let answer = request.send().await.with_context(|| format!("{path} cannot be reached"))?;
        let status = answer.status();
        let body = match answer.text().await?.as_str() {
            "" => Value::Null,
            text => {
                serde_json::from_str(text).with_context(|| format!("{path} does not answer with JSON"))?
            }
        };
        anyhow::ensure!(status.is_success(), "{path} answers {status}: {body}");
        Ok(body)
    }
}

/// A text in an answer.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Result<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer} in {value}"))
}

/// A list in an answer.
pub(super) fn list<'v>(value: &'v Value, pointer: &str) -> Result<&'v Vec<Value>> {
    value.pointer(pointer).and_then(Value::as_array).with_context(|| format!("no {pointer} in {value}"))
}
