//! Cancellation by the owner of a job, in the owner's transaction.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::JobId;

/// The result of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The job was waiting and is cancelled with the caller's transaction: it never runs once that commits.
    Now,
    /// The job is running: its worker stops it within 2 s unless it is past its point of no return.
    Asked,
    /// There is no live job to cancel.
    NotLive,
}

/// Cancels a job. The kind's `on_final` is not called for a job that was waiting: the owner changes its own rows in the
/// same transaction.
///
/// # Errors
/// [`crate::Error::Database`], after which the transaction must be rolled back.
pub async fn cancel(conn: &mut PgConnection, now: DateTime<Utc>, id: JobId) -> Result<Cancelled> {
    // Plan: index scan on jobs_pkey.
    let waits = sqlx::query_scalar!(
        r#"UPDATE queue.jobs
           SET stop = 'cancelled',
               state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
               finalized_at = CASE WHEN state = 'running' THEN NULL ELSE $2::timestamptz END
           WHERE id = $1 AND state IN ('scheduled', 'available', 'running', 'retryable')
           RETURNING state = 'cancelled' AS "waits!""#,
        id.0,
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(result(waits))
}

/// Cancels the live job of this kind with this unique key, as [`cancel`] does.
///
/// # Errors
/// [`crate::Error::Database`], after which the transaction must be rolled back.
pub async fn cancel_by_key(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    kind: &str,
    unique_key: &str,
) -> Result<Cancelled> {
    // Plan: index scan on jobs_live_key.
    let waits = sqlx::query_scalar!(
        r#"UPDATE queue.jobs
           SET stop = 'cancelled',
               state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
               finalized_at = CASE WHEN state = 'running' THEN NULL ELSE $3::timestamptz END
           WHERE kind = $1 AND unique_key = $2 AND unique_key IS NOT NULL
             AND state IN ('scheduled', 'available', 'running', 'retryable')
           RETURNING state = 'cancelled' AS "waits!""#,
        kind,
        unique_key,
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(result(waits))
}

fn result(waits: Option<bool>) -> Cancelled {
    match waits {
        Some(true) => Cancelled::Now,
        Some(false) => Cancelled::Asked,
        None => Cancelled::NotLive,
    }
}
