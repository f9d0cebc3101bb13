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
    /// Its name.
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
    /// When the session started.
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat.
    pub heartbeat_at: DateTime<Utc>,
    /// Milliseconds since then; after 15 seconds its jobs are rescued.
    #[oai(validator(minimum(value = "0")))]
    pub heartbeat_age_ms: i64,
    /// Its running jobs.
    #[oai(validator(minimum(value = "0")))]
    pub running: i64,
    /// Whether it is the leader, which promotes due jobs, rescues those of dead workers and creates periodic ones.
    pub leads: bool,
}

/// All live worker processes.
#[derive(Debug, Object, Serialize)]
pub struct WorkerList {
    /// Oldest first.
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
            heartbeat_at: worker.heartbeat_at,
            heartbeat_age_ms: i64::try_from(worker.since_heartbeat.as_millis()).unwrap_or(i64::MAX),
            running: worker.running,
            leads: worker.leads,
        }
    }
}
