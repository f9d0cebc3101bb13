use chrono::{DateTime, Utc};
use poem_openapi::Object;
use punctual_queue::ops;
use serde::Serialize;
use uuid::Uuid;

use crate::http::values::JobName;

/// A worker process.
#[derive(Debug, Object, Serialize)]
pub struct Worker {
    /// Its session; a process that lost its session has a new one.
    pub id: Uuid,
    /// What it is called.
    #[oai(validator(max_length = 300))]
    pub name: String,
    /// Its version; absent for a build that does not say it.
    #[oai(validator(max_length = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Queues it serves.
    #[oai(validator(max_items = 1000))]
    pub queues: Vec<JobName>,
    /// Kinds of jobs it runs.
    #[oai(validator(max_items = 1000))]
    pub kinds: Vec<JobName>,
    /// When the session was opened.
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat.
    pub beat_at: DateTime<Utc>,
    /// How many milliseconds ago that was; after 15 seconds its jobs are given to others.
    #[oai(validator(minimum(value = "0")))]
    pub silent_ms: i64,
    /// Jobs that run in it.
    #[oai(validator(minimum(value = "0")))]
    pub running: i64,
    /// Whether it leads: promotes due jobs, takes back those of dead workers, starts periodic ones.
    pub leads: bool,
}

/// All worker processes that live.
#[derive(Debug, Object, Serialize)]
pub struct WorkerList {
    /// The oldest first.
    #[oai(validator(max_items = 10000))]
    pub data: Vec<Worker>,
}

impl From<ops::WorkerStatus> for Worker {
    fn from(worker: ops::WorkerStatus) -> Self {
        Self {
            id: worker.session,
            name: worker.name,
            version: worker.version,
            queues: worker.queues.into_iter().map(JobName).collect(),
            kinds: worker.kinds.into_iter().map(JobName).collect(),
            started_at: worker.started_at,
            beat_at: worker.beat_at,
            silent_ms: i64::try_from(worker.silent.as_millis()).unwrap_or(i64::MAX),
            running: worker.running,
            leads: worker.leads,
        }
    }
}
