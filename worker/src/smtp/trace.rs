//! A span for each step of a mail, with what the relay said: its code, never its text.

use std::future::Future;

use lettre::transport::smtp::response::Response;
use tracing::{Instrument, Span, field::Empty};

use super::failure::{Failure, Step};

/// Runs a step in a span of its own.
pub(super) async fn traced<T>(
    step: Step,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let span = tracing::info_span!("smtp", step = step.as_str(), code = Empty, failed = Empty);
    let done = work.instrument(span.clone()).await;
    if let Err(failure) = &done {
        span.record("failed", true);
        if let Some(code) = failure.code {
            span.record("code", code);
        }
    }
    done
}

/// Notes the reply's code in the step that runs.
pub(super) fn replied(response: &Response) {
    Span::current().record("code", u16::from(response.code()));
}
