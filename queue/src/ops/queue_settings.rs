//! Pauses and limits of a queue.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::limits::limit::Limit;

/// Stops claims from the queue until it is resumed. Running jobs finish.
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

/// Limits how many jobs of the queue start per period, over all workers; `None` restores the configured limit.
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

/// Limits how many jobs of the queue with one `limit_key` start per period; `None` restores the configured limit.
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
