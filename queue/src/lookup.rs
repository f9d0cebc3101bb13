//! The state of one live job, for display.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::JobId;
use crate::job::JobState;

/// The state of a live job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// Its id.
    pub id: JobId,
    /// Its state.
    pub state: JobState,
    /// How many attempts were started.
    pub attempt: i32,
    /// A failure of this attempt or a later one discards the job.
    pub max_attempts: i32,
    /// When it runs next, or was due.
    pub run_at: DateTime<Utc>,
    /// How often it was snoozed.
    pub snoozes: i32,
    /// The last error.
    pub last_error: Option<String>,
    /// Why its handler snoozed it.
    pub note: Option<String>,
}

/// The live job of this kind with this unique key; `None` when it has ended or never existed.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn job_state(conn: &mut PgConnection, kind: &str, unique_key: &str) -> Result<Option<JobStatus>> {
    // Plan: index scan on jobs_live_key.
    let status = sqlx::query_as!(
        JobStatus,
        r#"SELECT id AS "id: JobId", state AS "state: JobState", attempt, max_attempts, run_at, snoozes,
                  errors -> -1 ->> 'error' AS last_error, note
           FROM queue.jobs
           WHERE kind = $1 AND unique_key = $2 AND unique_key IS NOT NULL
             AND state IN ('scheduled', 'available', 'running', 'retryable')"#,
        kind,
        unique_key,
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(status)
}
