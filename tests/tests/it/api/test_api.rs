use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use punctual_core::Core;
use punctual_core::config::{Config, Keys};
use punctual_core::settings::{self, Business};
use punctual_queue::{ManualClock, Wake};
use punctual_testkit::{TestDatabase, business};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// An api that answers, on a database of its own.
pub struct TestApi {
    pub database: TestDatabase,
    pub clock: Arc<ManualClock>,
    pub url: String,
    pub client: reqwest::Client,
    /// Keys of the links in mails.
    pub links: Keys,
    running: punctual_api::Running,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Places of the request that do not fit, as `in pointer code`.
    pub fn faults(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|fault| {
                format!("{} {} {}", text(&fault["in"]), text(&fault["pointer"]), text(&fault["code"]))
            })
            .collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }
}

/// A login session.
pub struct Session {
    pub access: String,
    pub refresh: String,
}

/// Monday, 3 May 2027, 08:00 in Berlin.
pub fn monday() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2027-05-03T08:00:00+02:00").unwrap().to_utc()
}

pub const PASSWORD: &str = "correct horse battery staple";

impl TestApi {
    /// With a business in Berlin and nothing else.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(more: &[(&str, &str)]) -> Self {
        // Shows the server's log of a 5xx in the output of a failed test.
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer();
        let _ = log.try_init();
        let database = TestDatabase::create().await;
        let clock = ManualClock::at(monday());
        settings::put(database.pool(), monday(), &Business { guests_allowed: false, ..business() })
            .await
            .unwrap();
        let mut vars: BTreeMap<String, String> = [
            ("DATABASE_URL", database.url()),
            ("PUNCTUAL_API_LISTEN", "127.0.0.1:0"),
            ("PUNCTUAL_API_METRICS_LISTEN", ""),
            ("PUNCTUAL_API_DRAIN_SECONDS", "0"),
            ("PUNCTUAL_LIMITS", "off"),
            ("PUNCTUAL_JWT_KEYS", "local-1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
            ("PUNCTUAL_LINK_KEYS", "local-1:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        vars.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let config = Config::parse(vars, |path| std::fs::read_to_string(path)).unwrap();
        let links = config.link_keys().unwrap().clone();
        let running = punctual_api::start(&config, Some(clock.clone())).await.unwrap();
        let url = format!("http://{}", running.address);
        Self { database, clock, url, client: reqwest::Client::new(), links, running }
    }

    /// Sends the request; an answer whose status the document does not have fails the test.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        assert_documented(&method, &path, status);
        let text = response.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(headers["content-type"], "application/problem+json", "{body}");
            assert_eq!(body["status"], status.as_u16(), "{body}");
            let id = headers["x-request-id"].to_str().unwrap();
            assert_eq!(body["instance"], format!("urn:uuid:{id}"), "{body}");
        }
        Answer { status, headers, body }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str, session: Option<&Session>) -> Answer {
        let request = self.request(Method::GET, path);
        self.send(with(request, session)).await
    }

    pub async fn post(&self, path: &str, session: Option<&Session>, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        self.send(with(request, session)).await
    }

    /// Posts with an Idempotency-Key that no other call of this process uses.
    pub async fn create(&self, path: &str, session: Option<&Session>, body: &Value) -> Answer {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let key = format!("key-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let request = self.request(Method::POST, path).header("idempotency-key", key).json(body);
        self.send(with(request, session)).await
    }

    /// Posts with an If-Match.
    pub async fn change(&self, path: &str, session: &Session, rev: &str, body: Option<&Value>) -> Answer {
        let request = self.request(Method::POST, path).header("if-match", rev);
        let request = if let Some(body) = body { request.json(body) } else { request };
        self.send(with(request, Some(session))).await
    }

    pub async fn register(&self, email: &str) -> Answer {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
        self.post("/v1/auth/register", None, &body).await
    }

    pub async fn login(&self, email: &str) -> Session {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.post("/v1/auth/login", None, &body).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let token = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Session { access: token("access_token"), refresh: token("refresh_token") }
    }

    /// An account of this role, logged in.
    pub async fn somebody(&self, role: &str) -> Session {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let email = format!("{role}-{}@example.org", COUNT.fetch_add(1, Ordering::Relaxed));
        assert_eq!(self.register(&email).await.status, 201);
        sqlx::query("UPDATE users SET role = $1::user_role WHERE email = $2::citext")
            .bind(role)
            .bind(&email)
            .execute(self.database.pool())
            .await
            .unwrap();
        self.login(&email).await
    }

    /// PUT, PATCH or DELETE with `If-Match: *`.
    pub async fn write(&self, method: Method, path: &str, session: &Session, body: Option<&Value>) -> Answer {
        let request = self.request(method, path).header("if-match", "*");
        let request = if let Some(body) = body { request.json(body) } else { request };
        self.send(with(request, Some(session))).await
    }

    /// Core on its database and clock, beside the api.
    pub fn core(&self) -> Core {
        Core::new(self.database.pool().clone(), self.clock.clone(), Wake::polling())
    }

    /// Stops it as SIGTERM does.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    pub async fn count(&self, table: &'static str) -> i64 {
        let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(statement).fetch_one(self.database.pool()).await.unwrap()
    }
}

/// Fails when an operation answers with a status that the document does not list for it.
fn assert_documented(method: &Method, path: &str, status: StatusCode) {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    });
    let steps: Vec<&str> = path.split('/').collect();
    let matches = |pattern: &str| {
        let known: Vec<&str> = pattern.split('/').collect();
        known.len() == steps.len()
            && known.iter().zip(&steps).all(|(known, step)| known.starts_with('{') || known == step)
    };
    // A path without parameters is meant before one with them.
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let found = paths
        .iter()
        .filter(|(pattern, _)| matches(pattern))
        .min_by_key(|(pattern, _)| pattern.matches('{').count());
    let Some((pattern, methods)) = found else { return };
    let Some(operation) = methods.get(method.as_str().to_ascii_lowercase()) else { return };
    assert!(
        operation["responses"].get(status.as_str()).is_some(),
        "{method} {pattern} answered {status}, which the document does not list"
    );
}

fn with(request: reqwest::RequestBuilder, session: Option<&Session>) -> reqwest::RequestBuilder {
    match session {
        Some(session) => request.bearer_auth(&session.access),
        None => request,
    }
}
