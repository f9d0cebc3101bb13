//! What an operator does to one job.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::job::JobId;

/// Runs a job now, whether it waits or has ended, with one attempt more than it has used; false if it runs, is gone, or
/// a live job has its unique key by now.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn retry(conn: &mut PgConnection, now: DateTime<Utc>, id: JobId) -> Result<bool> {
    // Plan: index scan on jobs_pkey, one look into jobs_live_key.
    let retried = sqlx::query!(
        "UPDATE queue.jobs j
         SET state = 'available', run_at = $2, finalized_at = NULL, stop = NULL, slot_at = NULL, rescues = 0,
             expires_at = CASE WHEN expires_at <= $2 THEN NULL ELSE expires_at END,
             max_attempts = greatest(max_attempts, attempt + 1)
         WHERE id = $1 AND state <> 'running'
           AND NOT EXISTS (SELECT FROM queue.jobs o
                           WHERE o.kind = j.kind AND o.unique_key = j.unique_key AND o.id <> j.id
                             AND o.unique_key IS NOT NULL
                             AND o.state IN ('scheduled', 'available', 'running', 'retryable'))",
        id.0,
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(retried.rows_affected() == 1)
}

/// How an operator wants a live job to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// As cancelled.
    Cancel,
    /// As discarded.
    Discard,
}

/// Asks a worker to end a live job, with its kind's `on_final`: one that waits without running it, also in a paused or
/// limited queue; one that runs by stopping it unless it is past its point of no return. A worker that takes its kind
/// does so within two seconds. False if there is no live job with this id.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn stop(conn: &mut PgConnection, id: JobId, how: Stop) -> Result<bool> {
    let state = match how {
        Stop::Cancel => "cancelled",
        Stop::Discard => "discarded",
    };
    // Plan: index scan on jobs_pkey. What waits becomes available: a worker that takes its kind ends it.
    let asked = sqlx::query!(
        "UPDATE queue.jobs
         SET stop = $2::text::queue.job_state, state = CASE WHEN state = 'running' THEN state ELSE 'available' END
         WHERE id = $1 AND state IN ('scheduled', 'available', 'running', 'retryable')",
        id.0,
        state,
    )
    .execute(&mut *conn)
    .await?;
    Ok(asked.rows_affected() == 1)
}
