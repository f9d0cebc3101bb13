//! The answer to input that is not a valid request and so cannot be routed.

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, header};
use punctual_queue::new_id;

use super::{X_REQUEST_ID, secure};
use crate::{
    http::problem::{Code, PROBLEM_JSON, Problem},
    server::Refusal,
    state::State,
};

/// Writes refusals as this deployment's problems.
pub fn refusals(state: Arc<State>) -> Refusal {
    Arc::new(move |status| write(&state, status))
}

fn write(state: &State, status: StatusCode) -> Vec<u8> {
    let problem = if status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
        Problem::new(Code::HeadTooLarge)
    } else {
        Problem::new(Code::InvalidRequest).detail("What was sent is no request of HTTP/1.1.")
    };
    let id = new_id(state.core.now());
    let body = problem.into_json(&state.public_url, id);
    let mut headers = HeaderMap::new();
    secure::apply_headers(&mut headers, state.public_url.starts_with("https://"));
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {PROBLEM_JSON}\r\nconnection: close\r\n{X_REQUEST_ID}: {}\r\n",
        id.hyphenated()
    )
    .into_bytes();
    for (name, value) in &headers {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(&body);
    metrics::counter!("http_requests_total", "operation" => "none", "status" => if status.as_u16() == 431 { "431" } else { "400" })
        .increment(1);
    answer
}
