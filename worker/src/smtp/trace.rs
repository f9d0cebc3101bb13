//! A span for each SMTP step, with the relay's reply code but never its text.

use std::future::Future;

use tracing::{Instrument, Span, field::Empty};

use super::failure::{Failure, Step};
use super::reply::Reply;

/// Runs a step in its own span.
pub(super) async fn traced<T>(
    step: Step,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let span = tracing::info_span!("smtp", step = step.as_str(), code = Empty, failed = Empty);
    let result = work.instrument(span.clone()).await;
    if let Err(failure) = &result {
        span.record("failed", true);
        if let Some(code) = failure.code {
            span.record("code", code);
        }
    }
    result
}

/// Records the reply's code in the current step's span.
pub(super) fn record_code(reply: &Reply) {
    Span::current().record("code", reply.code);
}
