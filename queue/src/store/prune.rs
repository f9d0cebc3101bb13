//! Forgetting what has ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::interval;

/// Deletes up to `count` jobs completed before `completed` or ended otherwise before `other`, the oldest first.
pub(crate) async fn jobs(
    conn: &mut PgConnection,
    completed: DateTime<Utc>,
    other: DateTime<Utc>,
    count: i64,
) -> Result<u64, sqlx::Error> {
    // Plan: index scan on jobs_final from its start, stopped by the limit, then jobs_pkey for each id. The part between
    // `other` and `completed` holds, once pruned, only what did not succeed.
    let deleted = sqlx::query!(
        "DELETE FROM queue.jobs
         WHERE id = ANY (ARRAY(
             SELECT id FROM queue.jobs
             WHERE state IN ('completed', 'discarded', 'cancelled') AND finalized_at < $1
               AND (state = 'completed' OR finalized_at < $2)
             ORDER BY finalized_at
             LIMIT $3
             FOR UPDATE SKIP LOCKED))",
        completed,
        other,
        count,
    )
    .execute(&mut *conn)
    .await?;
    Ok(deleted.rows_affected())
}

/// Deletes sessions that ended a while ago and hold no job.
pub(crate) async fn sessions(conn: &mut PgConnection, after: Duration) -> Result<u64, sqlx::Error> {
    // Plan: scan of the sessions, for each old one a look into jobs_running.
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

/// Discards up to `count` jobs that have been due for `after` and whose kind no worker has taken for as long: nobody is
/// left who could say how they end.
pub(crate) async fn orphans(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    after: Duration,
    count: i64,
) -> Result<u64, sqlx::Error> {
    // Plan: index scan on jobs_ready, run once an hour; the kinds are a handful of rows.
    let discarded = sqlx::query!(
        "UPDATE queue.jobs
         SET state = 'discarded', finalized_at = $1, note = 'no worker has taken its kind for a day'
         WHERE id = ANY (ARRAY(
             SELECT j.id FROM queue.jobs j
             WHERE j.state = 'available' AND j.rescues = 0 AND j.run_at < $1::timestamptz - $2::interval
               AND NOT EXISTS (SELECT FROM queue.kinds k
                               WHERE k.kind = j.kind AND k.seen_at > clock_timestamp() - $2::interval)
             LIMIT $3
             FOR UPDATE SKIP LOCKED))",
        now,
        interval(after),
        count,
    )
    .execute(&mut *conn)
    .await?;
    Ok(discarded.rows_affected())
}
