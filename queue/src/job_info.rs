//! The facts of a claimed job.

use chrono::{DateTime, Utc};

use crate::ids::JobId;
use crate::trace::TraceContext;

/// The facts of a claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// Its id.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its kind.
    pub kind: String,
    /// Number of this attempt, from 1.
    pub attempt: i32,
    /// A failure of this attempt or a later one discards the job.
    pub max_attempts: i32,
    /// The fencing token of this lease: increases with each claim of the job.
    pub lease_seq: i64,
    /// When it was due.
    pub run_at: DateTime<Utc>,
    /// From this instant on it is not started.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// Consecutive deaths of its worker process.
    pub rescues: i16,
    /// How often it was snoozed.
    pub snoozes: i32,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// Jobs of its queue with the same key share the limit per key.
    pub limit_key: Option<String>,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
}
