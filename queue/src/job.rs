//! Payloads, job states and jobs to enqueue.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::trace::TraceContext;

/// The payload of a job. It holds ids only: the handler reads current data when the job runs.
///
/// ```
/// use punctual_queue::Payload;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct BuildReport { report_id: i64 }
///
/// impl Payload for BuildReport {
///     const KIND: &'static str = "report.build.v1";
///     const QUEUE: &'static str = "reports";
/// }
/// ```
pub trait Payload: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Stable, versioned name. A payload change that older workers can't decode needs a new name.
    const KIND: &'static str;
    /// The queue of its jobs.
    const QUEUE: &'static str;
    /// Failed attempts before a job is discarded.
    const MAX_ATTEMPTS: i32 = 12;
    /// Smaller values run first within a queue.
    const PRIORITY: i16 = 0;
    /// How long a handler may take before it is stopped. Not enforced past its point of no return.
    const TIMEOUT: Duration = Duration::from_mins(1);
}

/// State of a job; the README has the state diagram.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "queue.job_state", rename_all = "lowercase")]
pub enum JobState {
    /// Waits for `run_at`.
    Scheduled,
    /// Due: any worker may claim it.
    Available,
    /// Leased by a worker.
    Running,
    /// Failed, snoozed or rate limited; waits for `run_at`.
    Retryable,
    /// Done, or skipped by its handler.
    Completed,
    /// Ended without success.
    Discarded,
    /// Ended on request.
    Cancelled,
}

impl JobState {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Available,
        Self::Running,
        Self::Retryable,
        Self::Completed,
        Self::Discarded,
        Self::Cancelled,
    ];

    /// Whether the job has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Discarded | Self::Cancelled)
    }

    /// The name in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Available => "available",
            Self::Running => "running",
            Self::Retryable => "retryable",
            Self::Completed => "completed",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A job to enqueue.
#[derive(Debug, Clone)]
#[must_use = "a job does nothing until it is enqueued"]
pub struct Job {
    pub(crate) queue: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) args: serde_json::Value,
    pub(crate) run_at: Option<DateTime<Utc>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) unique_key: Option<String>,
    pub(crate) limit_key: Option<String>,
    pub(crate) priority: i16,
    pub(crate) max_attempts: i32,
    pub(crate) trace: Option<TraceContext>,
}

impl Job {
    /// A job with this payload and the defaults of its kind, due immediately.
    ///
    /// # Errors
    /// [`Error::Payload`] when the payload can't be serialised as JSON.
    pub fn new<P: Payload>(payload: &P) -> Result<Self> {
        let args =
            serde_json::to_value(payload).map_err(|source| Error::Payload { kind: P::KIND, source })?;
        Ok(Self {
            queue: P::QUEUE,
            kind: P::KIND,
            args,
            run_at: None,
            expires_at: None,
            unique_key: None,
            limit_key: None,
            priority: P::PRIORITY,
            max_attempts: P::MAX_ATTEMPTS,
            trace: TraceContext::current(),
        })
    }

    /// Runs it at this instant or later.
    pub fn run_at(mut self, at: DateTime<Utc>) -> Self {
        self.run_at = Some(at);
        self
    }

    /// From this instant on it is discarded instead of started.
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Unique among the live jobs of its kind (at most 300 characters).
    pub fn unique_key(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Jobs of its queue with the same key share the limit per key (at most 300 characters).
    pub fn limit_key(mut self, key: impl Into<String>) -> Self {
        self.limit_key = Some(key.into());
        self
    }

    /// Smaller values run first within its queue.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Failed attempts before it is discarded, at least 1.
    pub fn max_attempts(mut self, attempts: i32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The trace it belongs to, instead of the current one.
    pub fn trace_context(mut self, trace: Option<TraceContext>) -> Self {
        self.trace = trace;
        self
    }
}
