//! Jobs before they are stored.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::trace::TraceContext;

/// What a job carries: ids, so that data is read when it runs.
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
    /// Stable, versioned name; a change that old workers can't read gets a new one.
    const KIND: &'static str;
    /// The queue its jobs wait in.
    const QUEUE: &'static str;
    /// Attempts before a job is discarded.
    const MAX_ATTEMPTS: i32 = 12;
    /// Smaller runs first within a queue.
    const PRIORITY: i16 = 0;
    /// How long a handler may take. Past its point of no return a job is not stopped by it.
    const TIMEOUT: Duration = Duration::from_mins(1);
}

/// Id of a stored job.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, sqlx::Type,
)]
#[sqlx(transparent)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a job stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "queue.job_state", rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its time.
    Scheduled,
    /// Due: any worker may claim it.
    Available,
    /// Leased by a worker.
    Running,
    /// Failed or put off, waits for its next time.
    Retryable,
    /// Done or skipped.
    Completed,
    /// Ended without success.
    Discarded,
    /// Ended on request.
    Cancelled,
}

impl JobState {
    /// All states, in the order a job goes through them.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Available,
        Self::Running,
        Self::Retryable,
        Self::Completed,
        Self::Discarded,
        Self::Cancelled,
    ];

    /// Whether nothing more will happen to the job.
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
    /// A job with this payload and the defaults of its kind, due at once.
    ///
    /// # Errors
    /// [`Error::Payload`] when the payload can't be written as JSON.
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

    /// Not before this instant.
    pub fn run_at(mut self, at: DateTime<Utc>) -> Self {
        self.run_at = Some(at);
        self
    }

    /// From this instant on it is discarded, not run.
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// At most one live job of its kind has this key (≤ 300 characters).
    pub fn unique_key(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Jobs of its queue with the same key share the queue's limit per key (≤ 300 characters).
    pub fn limit_key(mut self, key: impl Into<String>) -> Self {
        self.limit_key = Some(key.into());
        self
    }

    /// Smaller runs first within its queue.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Attempts before it is discarded, at least 1.
    pub fn max_attempts(mut self, attempts: i32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The trace it belongs to, instead of the one it is made in.
    pub fn trace_context(mut self, trace: Option<TraceContext>) -> Self {
        self.trace = trace;
        self
    }
}
