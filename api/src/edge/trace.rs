//! The trace of a request (W3C Trace Context): continued from its `traceparent` and returned in the answer's.

use poem::http::{
    HeaderMap, HeaderValue,
    header::{Entry, HeaderName},
};
use punctual_telemetry::Context;
use tracing::Span;
use uuid::Uuid;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The span of a request. An invalid client header is ignored.
pub fn span(request_id: Uuid, headers: &HeaderMap) -> Span {
    let given = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(Context::parse);
    let traceparent = given.map(|context| context.to_string());
    tracing::info_span!("request", %request_id, traceparent)
}

/// Adds the trace to the answer.
pub fn apply_headers(span: &Span, headers: &mut HeaderMap) {
    let Some(context) = Context::of(span) else { return };
    if let (Ok(value), Entry::Vacant(free)) =
        (HeaderValue::from_str(&context.to_string()), headers.entry(TRACEPARENT))
    {
        free.insert(value);
    }
}
