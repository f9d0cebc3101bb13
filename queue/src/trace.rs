//! Which trace a job belongs to.

use std::sync::OnceLock;

/// What gives the `traceparent` of where the caller runs.
type Source = fn() -> Option<String>;

static SOURCE: OnceLock<Source> = OnceLock::new();

/// W3C Trace Context of what enqueued a job, kept in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The `traceparent` header's value.
    pub traceparent: String,
    /// The `tracestate` header's value.
    pub tracestate: Option<String>,
}

impl TraceContext {
    /// Of where the caller runs, where [`trace_jobs_with`] has said how it is known.
    #[must_use]
    pub fn current() -> Option<Self> {
        let traceparent = SOURCE.get()?()?;
        Some(Self { traceparent, tracestate: None })
    }
}

/// From now on every job takes the trace it is made in: `source` gives the `traceparent` of where it is called. The
/// queue itself knows no tracing library; the span of a run has the field `traceparent`, from which that library can go
/// on. A second call changes nothing.
pub fn trace_jobs_with(source: fn() -> Option<String>) {
    let _ = SOURCE.set(source);
}
