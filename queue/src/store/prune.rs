//! Deletion of old jobs and sessions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::interval::interval;

/// Deletes up to `count` jobs that were completed before `completed`, or discarded or cancelled before `other`.
pub(crate) async fn jobs(
    conn: &mut PgConnection,
    completed: DateTime<Utc>,
    other: DateTime<Utc>,
    count: i64,
) -> Result<u64, sqlx::Error> {
    // Plan: for each of the three states an index scan on jobs_final from its start, stopped by the limit, then
    // jobs_pkey for each id.
    let deleted = sqlx::query!(
        "DELETE FROM queue.jobs
         WHERE id = ANY (ARRAY(
             SELECT j.id
             FROM (VALUES ('completed'::queue.job_state, $1::timestamptz), ('discarded', $2), ('cancelled', $2))
                  AS s (state, before) CROSS JOIN LATERAL (
                 SELECT id FROM queue.jobs
                 WHERE state = s.state AND state IN ('completed', 'discarded', 'cancelled')
                   AND finalized_at < s.before
                 ORDER BY finalized_at
                 LIMIT $3
                 FOR UPDATE SKIP LOCKED) AS j
             LIMIT $3))",
        completed,
        other,
        count,
    )
    .execute(&mut *conn)
    .await?;
    Ok(deleted.rows_affected())
}

/// Deletes sessions that ended more than `after` ago and hold no job.
pub(crate) async fn sessions(conn: &mut PgConnection, after: Duration) -> Result<u64, sqlx::Error> {
    // Plan: scan of the sessions, for each old one a lookup in jobs_running.
    let deleted = sqlx::query!(
        "DELETE FROM queue.sessions s
         WHERE ended_at < clock_timestamp() - $1::interval
           AND NOT EXISTS (SELECT FROM queue.jobs j WHERE j.session_id = s.id AND j.state = 'running')",
        interval(after),
    )
    .execute(&mut *conn)
    .await?;
    Ok(deleted.rows_affected())
}
