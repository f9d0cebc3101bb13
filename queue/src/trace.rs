//! The trace that a job belongs to.

use std::sync::OnceLock;

/// Returns the `traceparent` of the current span.
type Source = fn() -> Option<String>;

static SOURCE: OnceLock<Source> = OnceLock::new();

/// W3C Trace Context of the code that enqueued a job, stored with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The `traceparent` header's value.
    pub traceparent: String,
    /// The `tracestate` header's value.
    pub tracestate: Option<String>,
}

impl TraceContext {
    /// The trace context of the current span; `None` unless [`trace_jobs_with`] was called.
    #[must_use]
    pub fn current() -> Option<Self> {
        let traceparent = SOURCE.get()?()?;
        Some(Self { traceparent, tracestate: None })
    }
}

/// Makes every new job take the trace of the current span, whose `traceparent` `source` returns. The queue depends on no
/// tracing library; the span of a run has the field `traceparent`, from which one can continue the trace. Only the first
/// call has an effect.
pub fn trace_jobs_with(source: fn() -> Option<String>) {
    let _ = SOURCE.set(source);
}
