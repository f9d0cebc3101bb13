//! The outermost layer: gives every request its id, its time limit and its line in the log, turns every error and
//! panic into a problem, and sets the headers of every answer.

mod body_rest;
mod cors;
mod refusal;
mod secure;
mod trace;

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
    time::Instant,
};

use body_rest::BodyRest;
use futures::FutureExt;
use poem::{
    Endpoint, Request, Response, Result,
    http::{
        HeaderValue, Method, Version,
        header::{CONNECTION, HOST, HeaderName},
    },
};
use punctual_core::types::Locale;
use punctual_queue::new_id;
pub use refusal::refusals;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::Matched,
    http::{
        address, compress,
        problem::{Code, Place, Problem},
    },
    state::State,
};

/// Header with the request's id, in requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Renders problems on paths that people open in a browser.
#[derive(Clone, Copy)]
pub struct HtmlErrors {
    /// The language to answer in, or `None` where the path is for programs.
    pub language: fn(&Request) -> Option<Locale>,
    /// The problem as a page; takes the request's id.
    pub render: fn(Problem, Locale, &State, Uuid) -> Response,
}

/// The outermost endpoint.
pub struct Edge<E> {
    state: Arc<State>,
    inner: Arc<E>,
    html_errors: HtmlErrors,
}

impl<E: Endpoint<Output = Response> + 'static> Edge<E> {
    /// Around all routes.
    pub fn new(state: Arc<State>, inner: E, html_errors: HtmlErrors) -> Self {
        Self { state, inner: Arc::new(inner), html_errors }
    }

    async fn run(&self, request: Request) -> Result<Response> {
        let limit = self.state.request_timeout();
        let answer =
            AssertUnwindSafe(tokio::time::timeout(limit, self.on_its_runtime(request))).catch_unwind();
        match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                Err(Problem::new(Code::Unavailable).retry_after(std::time::Duration::from_secs(1)).into())
            }
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
                Err(Problem::new(Code::InternalError).cause(format!("panic: {text}")).into())
            }
        }
    }

    /// Handles a read here and a write on the runtime of writes, so that it does not wait for readers at each step.
    async fn on_its_runtime(&self, request: Request) -> Result<Response> {
        if request.method().is_safe() {
            return self.inner.call(request).await;
        }
        let inner = Arc::clone(&self.inner);
        let handling = async move { inner.call(request).await }.in_current_span();
        // Dropping it, when the client has gone, ends the task.
        match AbortOnDropHandle::new(self.state.core.writer.spawn(handling)).await {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(error) => Err(Problem::new(Code::Unavailable).cause(error).into()),
            },
        }
    }
}

impl<E: Endpoint<Output = Response> + 'static> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let id = request_id(&request).unwrap_or_else(|| new_id(self.state.core.now()));
        let method = request.method().clone();
        let prefs = ResponsePrefs::of(&request, self.html_errors.language);
        let address = address::client(&request, &self.state.config.trusted_proxies);
        request.set_data(address);
        request.set_data(Arc::clone(&self.state));
        let span = trace::span(id, request.headers());
        if let Some(preflight) = cors::preflight(&self.state.config.cors, &request) {
            return Ok(self.apply_headers(preflight, id, &span, &prefs).await);
        }
        let rest = BodyRest::watch(&mut request);
        let answer = match one_host(&request) {
            Ok(()) => self.run(request).instrument(span.clone()).await,
            Err(problem) => Err(problem.into()),
        };
        let (mut response, matched) = match answer {
            Ok(response) => {
                let matched = response.data::<Matched>().cloned();
                (response, matched)
            }
            Err(error) => {
                let matched = error.data::<Matched>().cloned();
                let problem = Problem::from_framework(error);
                span.in_scope(|| log_cause(&problem));
                (self.problem_response(problem, &prefs, id), matched)
            }
        };
        if !rest.finish().await {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        observe(&span, &method, matched.as_ref(), &response, started);
        if let Some(limits) = matched.and_then(|matched| matched.limits) {
            limits.apply_headers(response.headers_mut());
        }
        if method == Method::HEAD {
            response = without_body(response);
        }
        Ok(self.apply_headers(response, id, &span, &prefs).await)
    }
}

impl<E> Edge<E> {
    /// A problem as a page on paths for people, as JSON elsewhere.
    fn problem_response(&self, problem: Problem, prefs: &ResponsePrefs, id: Uuid) -> Response {
        match prefs.page {
            Some(language) => (self.html_errors.render)(problem, language, &self.state, id),
            None => problem.into_answer(&self.state.public_url, id),
        }
    }

    async fn apply_headers(
        &self,
        response: Response,
        id: Uuid,
        span: &tracing::Span,
        prefs: &ResponsePrefs,
    ) -> Response {
        let mut response = compress::gzip(response, prefs.gzip).await;
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&id.hyphenated().to_string()) {
            headers.insert(X_REQUEST_ID, value);
        }
        trace::apply_headers(span, headers);
        if self.state.is_draining() {
            // Clients on a kept connection leave before it closes.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        secure::apply_headers(headers, self.state.public_url.starts_with("https://"));
        cors::apply_headers(&self.state.config.cors, prefs.origin.as_ref(), headers);
        response
    }
}

/// The request's preferences for the form of its answer.
struct ResponsePrefs {
    gzip: bool,
    /// The language of the page, on a path for people.
    page: Option<Locale>,
    origin: Option<HeaderValue>,
}

impl ResponsePrefs {
    fn of(request: &Request, language: fn(&Request) -> Option<Locale>) -> Self {
        use poem::http::header::ORIGIN;
        let headers = request.headers();
        Self {
            gzip: compress::takes_gzip(headers),
            page: language(request),
            origin: headers.get(ORIGIN).cloned(),
        }
    }
}

/// A request has one host (RFC 9112 §3.2): of two, a proxy could choose another one than this server.
fn one_host(request: &Request) -> Result<(), Problem> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let missing = hosts == 0 && request.version() == Version::HTTP_11;
    if missing || hosts > 1 {
        return Err(Problem::invalid_at(Place::Header, "/Host", "host", "must be given exactly once"));
    }
    Ok(())
}

/// The client's request id, if it is a UUID; other text is ignored.
fn request_id(request: &Request) -> Option<Uuid> {
    let text = request.headers().get(X_REQUEST_ID)?.to_str().ok()?;
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

/// Logs a server error once, with its whole cause chain. The answer contains none of it.
fn log_cause(problem: &Problem) {
    let Some(cause) = &problem.facts.cause else { return };
    let mut chain = cause.to_string();
    let mut next = cause.source();
    while let Some(error) = next {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        next = error.source();
    }
    if problem.code.status().is_server_error() {
        tracing::error!(code = problem.code.as_str(), cause = chain, "request failed");
    }
}

/// Writes one log line and the metrics: the route's pattern and ids, never values of path or query.
fn observe(
    span: &tracing::Span,
    method: &Method,
    matched: Option<&Matched>,
    response: &Response,
    started: Instant,
) {
    let took = started.elapsed();
    let status = response.status().as_u16();
    let route = matched.map_or("-", |matched| &*matched.pattern);
    let operation = matched.map_or("none", |matched| matched.operation.id);
    let caller = matched.and_then(|matched| matched.caller);
    let user_id = caller.and_then(|caller: Caller| caller.user_id().ok()).map(tracing::field::display);
    let key_id = caller.and_then(|caller| caller.key()).map(|key| tracing::field::display(key.id));
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(
        || tracing::info!(target: "access", %method, route, status, micros, user_id, key_id, "answered"),
    );
    metrics::counter!("http_requests_total", "operation" => operation, "status" => status_text(status))
        .increment(1);
    metrics::histogram!("http_request_duration_seconds", "operation" => operation).record(took.as_secs_f64());
}

/// Statuses as static text: allocating a label for each request is slower.
fn status_text(status: u16) -> &'static str {
    const KNOWN: [(u16, &str); 23] = [
        (200, "200"),
        (201, "201"),
        (204, "204"),
        (304, "304"),
        (400, "400"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (405, "405"),
        (408, "408"),
        (409, "409"),
        (410, "410"),
        (412, "412"),
        (413, "413"),
        (415, "415"),
        (422, "422"),
        (428, "428"),
        (429, "429"),
        (500, "500"),
        (503, "503"),
        (202, "202"),
        (302, "302"),
        (303, "303"),
    ];
    KNOWN.iter().find(|(known, _)| *known == status).map_or("other", |(_, text)| text)
}

/// The answer to HEAD: the length that GET would have, and no body.
fn without_body(mut response: Response) -> Response {
    use poem::http::header::CONTENT_LENGTH;
    let body: poem::Body = response.take_body();
    if let Some(length) = compress::exact_length(body) {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}
