use std::time::Duration;

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use punctual_core::operators;
use punctual_queue::{Limit, ops};
use serde::{Deserialize, Serialize};

use crate::http::values::JobName;

/// The current state of a queue.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Queue")]
pub struct QueueStatus {
    /// Its name.
    pub queue: JobName,
    /// Whether it is paused: no job starts until it is resumed.
    pub paused: bool,
    /// The limit set at run time; absent: the workers' configuration applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<RateLimit>,
    /// The limit per key set at run time; absent: the workers' configuration applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_limit: Option<RateLimit>,
    /// Scheduled jobs.
    #[oai(validator(minimum(value = "0")))]
    pub scheduled: i64,
    /// Due jobs that have not started.
    #[oai(validator(minimum(value = "0")))]
    pub available: i64,
    /// Running jobs.
    #[oai(validator(minimum(value = "0")))]
    pub running: i64,
    /// Failed or snoozed jobs waiting for their next attempt.
    #[oai(validator(minimum(value = "0")))]
    pub retryable: i64,
    /// Discarded jobs of the last seven days.
    #[oai(validator(minimum(value = "0")))]
    pub discarded: i64,
    /// Since when the oldest waiting job is due; absent: none is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// Live workers that serve it.
    #[oai(validator(minimum(value = "0")))]
    pub workers: i64,
}

/// A number of jobs per period, over all workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object, Serialize, Deserialize)]
pub struct RateLimit {
    /// Jobs in a period.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    pub count: u32,
    /// Length of the period in milliseconds.
    #[oai(validator(minimum(value = "1"), maximum(value = "86400000")))]
    pub per_ms: u32,
    /// How many may start at once after a pause.
    #[oai(validator(minimum(value = "1"), maximum(value = "1000000")))]
    pub burst: u32,
}

/// All queues.
#[derive(Debug, Object, Serialize)]
pub struct QueueList {
    /// By name.
    #[oai(validator(max_items = 1000))]
    pub data: Vec<QueueStatus>,
}

/// A sample of a queue.
#[derive(Debug, Object, Serialize)]
pub struct QueueSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Scheduled jobs.
    #[oai(validator(minimum(value = "0")))]
    pub scheduled: i64,
    /// Due jobs that had not started.
    #[oai(validator(minimum(value = "0")))]
    pub available: i64,
    /// Running jobs.
    #[oai(validator(minimum(value = "0")))]
    pub running: i64,
    /// Jobs waiting for a retry.
    #[oai(validator(minimum(value = "0")))]
    pub retryable: i64,
    /// Discarded jobs.
    #[oai(validator(minimum(value = "0")))]
    pub discarded: i64,
    /// Seconds that the oldest due job had waited.
    #[oai(validator(minimum(value = "0")))]
    pub oldest_due_seconds: i64,
    /// Length of the counted period in seconds; 0: not counted.
    #[oai(validator(minimum(value = "0"), maximum(value = "86400")))]
    pub over_seconds: i32,
    /// Jobs that succeeded since the previous sample.
    #[oai(validator(minimum(value = "0")))]
    pub completed: i64,
    /// Jobs that were discarded or cancelled since the previous sample.
    #[oai(validator(minimum(value = "0")))]
    pub failed: i64,
}

/// Samples of a queue's depth and throughput.
#[derive(Debug, Object, Serialize)]
pub struct QueueHistory {
    /// The samples, the oldest first; two a minute.
    #[oai(validator(max_items = 3000))]
    pub data: Vec<QueueSample>,
}

impl From<ops::QueueStatus> for QueueStatus {
    fn from(queue: ops::QueueStatus) -> Self {
        Self {
            queue: JobName(queue.queue),
            paused: queue.paused,
            limit: queue.limit.map(RateLimit::from),
            key_limit: queue.key_limit.map(RateLimit::from),
            scheduled: queue.scheduled,
            available: queue.available,
            running: queue.running,
            retryable: queue.retryable,
            discarded: queue.discarded,
            oldest_due_at: queue.oldest_due,
            workers: queue.workers,
        }
    }
}

impl From<operators::QueueSample> for QueueSample {
    fn from(sample: operators::QueueSample) -> Self {
        Self {
            at: sample.at,
            scheduled: sample.scheduled,
            available: sample.available,
            running: sample.running,
            retryable: sample.retryable,
            discarded: sample.discarded,
            oldest_due_seconds: sample.oldest_due_seconds,
            over_seconds: sample.over_seconds,
            completed: sample.completed,
            failed: sample.failed,
        }
    }
}

impl From<Limit> for RateLimit {
    fn from(limit: Limit) -> Self {
        let per_ms = u32::try_from(limit.per.as_millis()).unwrap_or(u32::MAX);
        Self { count: limit.count, per_ms, burst: limit.burst }
    }
}

impl From<RateLimit> for Limit {
    fn from(limit: RateLimit) -> Self {
        Self { count: limit.count, per: Duration::from_millis(limit.per_ms.into()), burst: limit.burst }
    }
}
