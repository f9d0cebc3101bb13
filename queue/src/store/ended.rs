//! How many jobs ended.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::ops::EndedCount;

/// Jobs that ended after `from` and not after `until`, by queue.
pub(crate) async fn between(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<EndedCount>, sqlx::Error> {
    // Plan: index scans on jobs_final, one for each final state: what ended in that time, nothing else.
    sqlx::query_as!(
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
    .await
}

/// Whether anything is known of this queue.
pub(crate) async fn is_queue(conn: &mut PgConnection, queue: &str) -> Result<bool, sqlx::Error> {
    // Plan: scan of the sessions, of which there are few; queues_pkey; one look into jobs_ready.
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM queue.queues WHERE queue = $1)
               OR EXISTS (SELECT FROM queue.sessions WHERE $1 = ANY (queues))
               OR EXISTS (SELECT FROM queue.jobs WHERE queue = $1 AND state = 'available' AND rescues = 0)
               AS "known!""#,
        queue
    )
    .fetch_one(&mut *conn)
    .await
}
