//! Taking jobs back from sessions that died.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::PgConnection;

use super::interval;

/// What a rescue did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rescued {
    pub(crate) jobs: usize,
    pub(crate) queues: BTreeSet<String>,
}

/// Ends the sessions that have been silent for `ttl`; they neither beat nor claim from then on. None within
/// `after_start` of Postgres' start: while it was away nobody could beat.
pub(crate) async fn end_silent(
    conn: &mut PgConnection,
    ttl: Duration,
    after_start: Duration,
) -> Result<u64, sqlx::Error> {
    // Plan: scan of the sessions, of which there are as many as worker processes in a day.
    let ended = sqlx::query!(
        "UPDATE queue.sessions SET ended_at = clock_timestamp()
         WHERE ended_at IS NULL AND beat_at < clock_timestamp() - $1::interval
           AND pg_postmaster_start_time() < clock_timestamp() - $2::interval",
        interval(ttl),
        interval(after_start),
    )
    .execute(&mut *conn)
    .await?;
    Ok(ended.rows_affected())
}

/// Makes the running jobs of ended sessions available again; the attempt their process died in counts. Run after each
/// [`end_silent`] and not only for what that ended: a claim that was under way may have come in late.
pub(crate) async fn rescue(conn: &mut PgConnection, count: i64) -> Result<Rescued, sqlx::Error> {
    // Plan: ended sessions, for each an index scan on jobs_running, then jobs_pkey for each id.
    let queues = sqlx::query_scalar!(
        "UPDATE queue.jobs
         SET state = 'available', session_id = NULL, rescues = rescues + 1,
             errors = CASE WHEN jsonb_array_length(errors) >= 50 THEN errors - 0 ELSE errors END
                 || jsonb_build_object('at', clock_timestamp(), 'attempt', attempt, 'error', 'its process died')
         WHERE id = ANY (ARRAY(
             SELECT j.id FROM queue.sessions s JOIN queue.jobs j ON j.session_id = s.id
             WHERE s.ended_at IS NOT NULL AND j.state = 'running'
             LIMIT $1
             FOR UPDATE OF j SKIP LOCKED))
         RETURNING queue",
        count,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(Rescued { jobs: queues.len(), queues: queues.into_iter().collect() })
}
