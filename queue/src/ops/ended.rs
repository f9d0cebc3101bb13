//! How many jobs ended in a period.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;

/// How many jobs of a queue ended in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedCount {
    /// The queue.
    pub queue: String,
    /// Completed.
    pub completed: i64,
    /// Discarded or cancelled.
    pub failed: i64,
}

/// The jobs that ended after `from` and not after `until`, by queue. Pruned jobs are not counted: completed jobs are kept
/// for a day. A job is counted once its end is committed, a moment after the instant of its end: leave a few seconds
/// between `until` and now.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn ended(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<EndedCount>> {
    // Plan: index scans on jobs_final, one for each final state: only jobs that ended in the period.
    let counts = sqlx::query_as!(
        EndedCount,
        r#"SELECT queue, count(*) FILTER (WHERE state = 'completed') AS "completed!",
                  count(*) FILTER (WHERE state <> 'completed') AS "failed!"
           FROM queue.jobs
           WHERE state IN ('completed', 'discarded', 'cancelled') AND finalized_at > $1 AND finalized_at <= $2
           GROUP BY queue ORDER BY queue"#,
        from,
        until,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(counts)
}

/// Whether a queue exists: a worker serves or served it, it has settings, or it has a due job.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn is_queue(conn: &mut PgConnection, queue: &str) -> Result<bool> {
    // Plan: scan of the sessions, of which there are few; queues_pkey; one lookup in jobs_ready.
    let known = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM queue.queues WHERE queue = $1)
               OR EXISTS (SELECT FROM queue.sessions WHERE $1 = ANY (queues))
               OR EXISTS (SELECT FROM queue.jobs WHERE queue = $1 AND state = 'available' AND rescues = 0)
               AS "known!""#,
        queue
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(known)
}
