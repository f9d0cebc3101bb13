//! What an operator does at run time. All workers see it within two seconds: they read it each second.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::job::JobId;
use crate::limits::Limit;

/// No worker claims jobs of the queue until it is resumed; what runs is finished.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn pause(conn: &mut PgConnection, now: DateTime<Utc>, queue: &str) -> Result<()> {
    set_paused(conn, now, queue, true).await
}

/// Undoes [`pause`].
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn resume(conn: &mut PgConnection, now: DateTime<Utc>, queue: &str) -> Result<()> {
    set_paused(conn, now, queue, false).await
}

async fn set_paused(conn: &mut PgConnection, now: DateTime<Utc>, queue: &str, paused: bool) -> Result<()> {
    // Plan: insert with queues_pkey as arbiter.
    sqlx::query!(
        "INSERT INTO queue.queues (queue, paused, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (queue) DO UPDATE SET paused = excluded.paused, updated_at = excluded.updated_at",
        queue,
        paused,
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Limits how many jobs of the queue start in a time, over all workers; `None` goes back to what they are configured
/// with.
///
/// # Errors
/// [`crate::Error::Database`], also for a limit of 0 or of a period under a millisecond.
pub async fn set_limit(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    queue: &str,
    limit: Option<Limit>,
) -> Result<()> {
    let (count, per_ms, burst) = columns(limit);
    // Plan: insert with queues_pkey as arbiter.
    sqlx::query!(
        "INSERT INTO queue.queues (queue, limit_count, limit_per_ms, limit_burst, updated_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (queue) DO UPDATE
         SET limit_count = excluded.limit_count, limit_per_ms = excluded.limit_per_ms,
             limit_burst = excluded.limit_burst, updated_at = excluded.updated_at",
        queue,
        count,
        per_ms,
        burst,
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Limits how many jobs of the queue with one `limit_key` start in a time; `None` goes back to the configuration.
///
/// # Errors
/// As [`set_limit`].
pub async fn set_key_limit(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    queue: &str,
    limit: Option<Limit>,
) -> Result<()> {
    let (count, per_ms, burst) = columns(limit);
    // Plan: insert with queues_pkey as arbiter.
    sqlx::query!(
        "INSERT INTO queue.queues (queue, key_limit_count, key_limit_per_ms, key_limit_burst, updated_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (queue) DO UPDATE
         SET key_limit_count = excluded.key_limit_count, key_limit_per_ms = excluded.key_limit_per_ms,
             key_limit_burst = excluded.key_limit_burst, updated_at = excluded.updated_at",
        queue,
        count,
        per_ms,
        burst,
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

fn columns(limit: Option<Limit>) -> (Option<i32>, Option<i32>, Option<i32>) {
    let whole = |number: u128| i32::try_from(number).unwrap_or(i32::MAX);
    (
        limit.map(|limit| whole(limit.count.into())),
        limit.map(|limit| whole(limit.per.as_millis())),
        limit.map(|limit| whole(limit.burst.into())),
    )
}

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

/// Asks a worker to end a live job, with its kind's `on_final`: one that waits without running it, one that runs by
/// stopping it unless it is past its point of no return. False if there is no live job with this id.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn stop(conn: &mut PgConnection, id: JobId, how: Stop) -> Result<bool> {
    let state = match how {
        Stop::Cancel => "cancelled",
        Stop::Discard => "discarded",
    };
    // Plan: index scan on jobs_pkey. What waits becomes available: the next claim ends it.
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
