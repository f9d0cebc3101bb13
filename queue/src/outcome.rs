//! How a handler says that its job ended.

use chrono::{DateTime, Utc};

/// What a handler returns; an `Err` instead means: again later, with backoff, until the attempts are used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done.
    Done,
    /// There was nothing to do, and why: completed as well.
    Skip(String),
    /// Failed; again at the instant that the other side named. Burns an attempt as an error does.
    RetryAt {
        /// Not before this instant.
        at: DateTime<Utc>,
        /// What failed.
        error: String,
    },
    /// Not now: again from `until` on. Burns no attempt.
    Snooze {
        /// Not before this instant.
        until: DateTime<Utc>,
        /// Why it waits.
        reason: String,
    },
    /// Can't ever succeed, and why: discarded at once.
    Fail(String),
}

impl Outcome {
    /// Its name in traces.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skip(_) => "skipped",
            Self::RetryAt { .. } => "retry",
            Self::Snooze { .. } => "snoozed",
            Self::Fail(_) => "failed",
        }
    }
}
