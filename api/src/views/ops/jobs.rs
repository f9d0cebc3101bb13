use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use punctual_queue::{self as queue, ops};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::http::values::{JobCursor, JobName};

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for `run_at`.
    Scheduled,
    /// Due: any worker may start it.
    Available,
    /// Runs.
    Running,
    /// Failed or snoozed; waits for its next attempt.
    Retryable,
    /// Done, or skipped.
    Completed,
    /// Ended without success.
    Discarded,
    /// Was ended on request.
    Cancelled,
}

/// A job.
#[derive(Debug, Object, Serialize)]
pub struct Job {
    /// Its id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// Its queue.
    pub queue: JobName,
    /// Its kind: the versioned name of what it does.
    pub kind: JobName,
    /// Status.
    pub state: JobState,
    /// Smaller numbers start first.
    #[oai(validator(minimum(value = "-32768"), maximum(value = "32767")))]
    pub priority: i16,
    /// How many attempts started.
    #[oai(validator(minimum(value = "0")))]
    pub attempt: i32,
    /// Number of attempts, after which a failure discards it.
    #[oai(validator(minimum(value = "1")))]
    pub max_attempts: i32,
    /// When it runs next, or was due.
    pub run_at: DateTime<Utc>,
    /// It expires at this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Consecutive deaths of its worker process.
    #[oai(validator(minimum(value = "0")))]
    pub rescues: i16,
    /// How often it was snoozed.
    #[oai(validator(minimum(value = "0")))]
    pub snoozes: i32,
    /// At most one live job of its kind has this key.
    #[oai(validator(max_length = 300))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<String>,
    /// Jobs of its queue with this key share a limit.
    #[oai(validator(max_length = 300))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_key: Option<String>,
    /// What failed last.
    #[oai(validator(max_length = 10000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Why it was skipped, snoozed, discarded or cancelled.
    #[oai(validator(max_length = 10000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The requested end, until a worker has carried it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<JobState>,
    /// The worker that runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finalized_at: Option<DateTime<Utc>>,
}

/// A page of jobs.
#[derive(Debug, Object, Serialize)]
pub struct JobPage {
    /// Waiting and due jobs in the order of execution, running ones longest first, ended ones newest first.
    #[oai(validator(max_items = 100))]
    pub data: Vec<Job>,
    /// Pass it as `cursor` for the next page; absent on the last. With `q`, a page may be short, or empty, and have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<JobCursor>,
}

/// A job with its history.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "JobDetails")]
pub struct JobWithHistory {
    /// The job.
    pub job: Job,
    /// Its payload, as JSON text: ids, no personal data.
    #[oai(validator(max_length = 100000))]
    pub payload: String,
    /// Its last 50 failures, the oldest first.
    #[oai(validator(max_items = 50))]
    pub errors: Vec<JobFailure>,
    /// W3C trace context of the request that made it.
    #[oai(validator(max_length = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A failure of a job.
#[derive(Debug, Object, Serialize)]
pub struct JobFailure {
    /// When.
    pub at: DateTime<Utc>,
    /// The attempt.
    #[oai(validator(minimum(value = "0")))]
    pub attempt: i32,
    /// What failed.
    #[oai(validator(max_length = 10000))]
    pub error: String,
}

impl From<queue::JobState> for JobState {
    fn from(state: queue::JobState) -> Self {
        match state {
            queue::JobState::Scheduled => Self::Scheduled,
            queue::JobState::Available => Self::Available,
            queue::JobState::Running => Self::Running,
            queue::JobState::Retryable => Self::Retryable,
            queue::JobState::Completed => Self::Completed,
            queue::JobState::Discarded => Self::Discarded,
            queue::JobState::Cancelled => Self::Cancelled,
        }
    }
}

impl From<JobState> for queue::JobState {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Scheduled => Self::Scheduled,
            JobState::Available => Self::Available,
            JobState::Running => Self::Running,
            JobState::Retryable => Self::Retryable,
            JobState::Completed => Self::Completed,
            JobState::Discarded => Self::Discarded,
            JobState::Cancelled => Self::Cancelled,
        }
    }
}

impl From<ops::JobSummary> for Job {
    fn from(job: ops::JobSummary) -> Self {
        Self {
            id: job.id.0,
            queue: JobName(job.queue),
            kind: JobName(job.kind),
            state: job.state.into(),
            priority: job.priority,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            run_at: job.run_at,
            expires_at: job.expires_at,
            rescues: job.rescues,
            snoozes: job.snoozes,
            unique_key: job.unique_key,
            limit_key: job.limit_key,
            last_error: job.last_error,
            note: job.note,
            stop: job.stop.map(JobState::from),
            worker_id: job.session,
            created_at: job.created_at,
            attempted_at: job.attempted_at,
            finalized_at: job.finalized_at,
        }
    }
}

impl From<ops::Page> for JobPage {
    fn from(page: ops::Page) -> Self {
        Self {
            data: page.jobs.into_iter().map(Job::from).collect(),
            next_cursor: page.next.map(|next| JobCursor(next.to_string())),
        }
    }
}

impl From<ops::JobDetail> for JobWithHistory {
    fn from(job: ops::JobDetail) -> Self {
        let failure = |failure: ops::JobError| JobFailure {
            at: failure.at,
            attempt: failure.attempt,
            error: failure.error,
        };
        Self {
            job: job.summary.into(),
            payload: job.args.to_string(),
            errors: job.errors.into_iter().map(failure).collect(),
            traceparent: job.traceparent,
        }
    }
}
