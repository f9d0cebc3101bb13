//! Ends the wait of snoozed jobs.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;

/// Makes the jobs of a queue due that were snoozed ([`crate::Outcome::Snooze`]) for a reason that begins with `reason`.
/// Returns how many. The caller wakes the queue after the commit.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn release(conn: &mut PgConnection, now: DateTime<Utc>, queue: &str, reason: &str) -> Result<u64> {
    // Plan: index scan on jobs_waiting, which has all jobs of the queue that wait. The note is compared in the heap.
    let released = sqlx::query!(
        "UPDATE queue.jobs SET state = 'available', run_at = $2
         WHERE id IN (SELECT id FROM queue.jobs
                      WHERE queue = $1 AND state = 'retryable' AND run_at > $2 AND starts_with(note, $3)
                      FOR UPDATE SKIP LOCKED)",
        queue,
        now,
        reason,
    )
    .execute(conn)
    .await?;
    Ok(released.rows_affected())
}
