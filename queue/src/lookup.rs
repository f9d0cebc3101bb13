//! Where a job stands, for those who show it to people.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::job::{JobId, JobState};

/// Where a live job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// Its id.
    pub id: JobId,
    /// Where it stands.
    pub state: JobState,
    /// How often it was begun.
    pub attempt: i32,
    /// A failure of this attempt or a later one discards it.
    pub max_attempts: i32,
    /// When it runs next, or was due.
    pub run_at: DateTime<Utc>,
    /// How often it put itself off.
    pub snoozes: i32,
    /// What failed last; kept while it waits for the next attempt.
    pub last_error: Option<String>,
    /// Why it waits, where it said so itself.
    pub note: Option<String>,
}

/// The live job of this kind with this unique key; `None` once it has ended.
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
