//! What a handler returns.

use chrono::{DateTime, Utc};

/// What a handler returns. An `Err` means: retry with backoff until the attempts are used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done; the queue completes the job.
    Done,
    /// The handler's own transaction completed the job: the value of [`crate::JobContext::complete_in`], returned after
    /// the commit. The queue writes nothing more.
    Completed(CompletedInTransaction),
    /// Nothing to do, and why. The job is completed.
    Skip(String),
    /// Failed; retry at an instant that the remote side requested. Burns an attempt, as an error does.
    RetryAt {
        /// Not before this instant.
        at: DateTime<Utc>,
        /// What failed.
        error: String,
    },
    /// Run again from `until` on. Burns no attempt.
    Snooze {
        /// Not before this instant.
        until: DateTime<Utc>,
        /// Why it waits.
        reason: String,
    },
    /// Cannot succeed, and why. The job is discarded at once.
    Fail(String),
}

/// Proof that a handler completed its job in a transaction. Only [`crate::JobContext::complete_in`] creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedInTransaction(());

impl CompletedInTransaction {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl Outcome {
    /// Its name in traces.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Done | Self::Completed(_) => "done",
            Self::Skip(_) => "skipped",
            Self::RetryAt { .. } => "retry",
            Self::Snooze { .. } => "snoozed",
            Self::Fail(_) => "failed",
        }
    }
}
