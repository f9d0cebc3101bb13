//! Rescue: jobs of dead sessions become available again.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::interval::interval;

/// How many jobs were rescued, and their queues.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rescued {
    pub(crate) jobs: usize,
    pub(crate) queues: BTreeSet<String>,
}

/// Sets heartbeats that lie ahead of the clock to now; returns how many. They come from a step of Postgres' clock, and
/// a dead session would look alive until then. Live sessions overwrite theirs within seconds.
pub(crate) async fn correct_beats_ahead(
    conn: &mut PgConnection,
    slack: Duration,
) -> Result<u64, sqlx::Error> {
    // Plan: scan of the sessions: as many rows as worker processes started in a day.
    let corrected = sqlx::query!(
        "UPDATE queue.sessions SET beat_at = clock_timestamp()
         WHERE ended_at IS NULL AND beat_at > clock_timestamp() + $1::interval",
        interval(slack),
    )
    .execute(&mut *conn)
    .await?;
    Ok(corrected.rows_affected())
}

/// Ends sessions without a heartbeat for `ttl`: they can neither renew nor claim any more. Does nothing within
/// `after_start` of Postgres' start, because no session could renew while it was down.
pub(crate) async fn end_expired(
    conn: &mut PgConnection,
    ttl: Duration,
    after_start: Duration,
) -> Result<u64, sqlx::Error> {
    // Plan: scan of the sessions: as many rows as worker processes started in a day.
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

/// Makes the running jobs of ended sessions available again; the interrupted attempt counts. Runs after each
/// [`end_expired`], whether it ended sessions or not: a claim may have committed after its session was ended.
///
/// From the third consecutive death on, a job of `poison_retrying_kinds` waits first, 15 s doubled with each further death up
/// to 1 h, and its attempt is given back. Other kinds become available and are ended as poison when they are claimed.
pub(crate) async fn rescue(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    poison_retrying_kinds: &[String],
    count: i64,
) -> Result<Rescued, sqlx::Error> {
    // Plan: ended sessions, for each an index scan on jobs_running, then jobs_pkey for each id.
    let queues = sqlx::query_scalar!(
        "UPDATE queue.jobs
         SET state = CASE WHEN rescues >= 2 AND kind = ANY ($2) THEN 'retryable'::queue.job_state ELSE 'available' END,
             run_at = CASE WHEN rescues >= 2 AND kind = ANY ($2)
                 THEN $3::timestamptz + least(interval '15 s' * 2 ^ least(rescues - 2, 20), interval '1 h')
                 ELSE run_at END,
             attempt = attempt - (rescues >= 2 AND kind = ANY ($2))::int,
             session_id = NULL, rescues = rescues + 1,
             errors = CASE WHEN jsonb_array_length(errors) >= 50 THEN errors - 0 ELSE errors END
                 || jsonb_build_object('at', clock_timestamp(), 'attempt', attempt, 'error', 'its process died')
         WHERE id = ANY (ARRAY(
             SELECT j.id FROM queue.sessions s JOIN queue.jobs j ON j.session_id = s.id
             WHERE s.ended_at IS NOT NULL AND j.state = 'running'
             LIMIT $1
             FOR UPDATE OF j SKIP LOCKED))
         RETURNING queue",
        count,
        poison_retrying_kinds,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(Rescued { jobs: queues.len(), queues: queues.into_iter().collect() })
}
