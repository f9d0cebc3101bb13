//! Retry and stop of one job.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::JobId;

/// Makes a waiting or ended job due now, with at least one attempt left. False if it is running, was pruned, or a live
/// job has its unique key.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn retry(conn: &mut PgConnection, now: DateTime<Utc>, id: JobId) -> Result<bool> {
    // Plan: index scan on jobs_pkey, one lookup in jobs_live_key.
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

/// The final state that an operator requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Cancelled.
    Cancel,
    /// Discarded.
    Discard,
}

/// Requests that a live job ends, with its kind's `on_final`. A worker that handles its kind does so within two seconds: a
/// waiting job ends without being started, also in a paused or limited queue; a running job is stopped unless it is past
/// its point of no return. False if there is no live job with this id.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn stop(conn: &mut PgConnection, id: JobId, how: Stop) -> Result<bool> {
    let state = match how {
        Stop::Cancel => "cancelled",
        Stop::Discard => "discarded",
    };
    // Plan: index scan on jobs_pkey. A waiting job becomes available, so that a worker claims and ends it.
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
