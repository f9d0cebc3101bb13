//! Leasing due jobs to a session.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::Row;
pub(crate) use super::row::{Claimed, Place};
use crate::job::{JobId, JobState};

/// Leases up to `count` due jobs of a queue, of the kinds this worker knows, in the order they are to run, those beyond
/// `after` only. An ended session gets none. Jobs that were rescued are left to [`rescued`].
pub(crate) async fn ready(
    conn: &mut PgConnection,
    session: Uuid,
    queue: &str,
    kinds: &[String],
    count: i64,
    now: DateTime<Utc>,
    after: Option<Place>,
) -> Result<Vec<Claimed>, sqlx::Error> {
    // Plan: for each kind an index scan on jobs_ready from its start or `after`, stopped by the limit, then jobs_pkey for
    // each id. At the start lie the entries of all that was claimed since the last vacuum: 100,000 of them cost a claim as
    // much as 200 jobs, which is what `after` is for.
    // No seq scan, no sort of more than kinds times limit: what is scheduled, final, due beyond the limit or of a kind
    // that this worker does not know is never touched. What one kind has beyond the merged limit is locked until the
    // statement ends, and other claims pass over it.
    let rows = sqlx::query_as!(
        Row,
        r#"UPDATE queue.jobs
           SET state = 'running', session_id = $1, attempt = attempt + 1, lease_seq = lease_seq + 1, attempted_at = $5
           WHERE id = ANY (ARRAY(
               SELECT j.id
               FROM unnest($3::text[]) AS k (kind) CROSS JOIN LATERAL (
                   SELECT id, priority, run_at FROM queue.jobs
                   WHERE queue = $2 AND kind = k.kind AND state = 'available' AND rescues = 0
                     AND (priority, run_at, id) > ($6::smallint, coalesce($7::timestamptz, '-infinity'), $8::bigint)
                     AND EXISTS (SELECT FROM queue.sessions WHERE id = $1 AND ended_at IS NULL)
                   ORDER BY priority, run_at, id
                   LIMIT $4
                   FOR UPDATE SKIP LOCKED) AS j
               ORDER BY j.priority, j.run_at, j.id
               LIMIT $4))
           RETURNING id AS "id: JobId", queue, kind, priority, attempt, max_attempts, lease_seq, run_at, expires_at,
                     created_at, rescues, snoozes, unique_key, limit_key, traceparent, tracestate, args,
                     stop AS "stop: JobState", slot_at"#,
        session,
        queue,
        kinds,
        count,
        now,
        after.map_or(i16::MIN, |place| place.priority),
        after.map(|place| place.run_at),
        after.map_or(0, |place| place.id.0),
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.claimed_by(session)).collect())
}

/// Leases one job that was rescued, of any of these queues: such jobs run one at a time in a process, so that its next
/// death counts against the culprit.
pub(crate) async fn rescued(
    conn: &mut PgConnection,
    session: Uuid,
    queues: &[String],
    kinds: &[String],
    now: DateTime<Utc>,
) -> Result<Option<Claimed>, sqlx::Error> {
    // Plan: jobs_rescued, which holds a handful of rows at most, then jobs_pkey.
    let row = sqlx::query_as!(
        Row,
        r#"UPDATE queue.jobs
           SET state = 'running', session_id = $1, attempt = attempt + 1, lease_seq = lease_seq + 1, attempted_at = $4
           WHERE id = ANY (ARRAY(
               SELECT id FROM queue.jobs
               WHERE queue = ANY ($2) AND state = 'available' AND rescues > 0 AND kind = ANY ($3)
                 AND EXISTS (SELECT FROM queue.sessions WHERE id = $1 AND ended_at IS NULL)
               ORDER BY priority, run_at, id
               LIMIT 1
               FOR UPDATE SKIP LOCKED))
           RETURNING id AS "id: JobId", queue, kind, priority, attempt, max_attempts, lease_seq, run_at, expires_at,
                     created_at, rescues, snoozes, unique_key, limit_key, traceparent, tracestate, args,
                     stop AS "stop: JobState", slot_at"#,
        session,
        queues,
        kinds,
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(row.map(|row| row.claimed_by(session)))
}

/// Leases up to `count` waiting jobs of these kinds that somebody wants ended, to end them unrun: a pause, a limit or
/// the lack of a permit is no reason to wait.
pub(crate) async fn stopped(
    conn: &mut PgConnection,
    session: Uuid,
    kinds: &[String],
    count: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, sqlx::Error> {
    // Plan: index scan on jobs_stop, which is empty but for the second after somebody asked, then jobs_pkey.
    let rows = sqlx::query_as!(
        Row,
        r#"UPDATE queue.jobs
           SET state = 'running', session_id = $1, attempt = attempt + 1, lease_seq = lease_seq + 1, attempted_at = $4
           WHERE id = ANY (ARRAY(
               SELECT id FROM queue.jobs
               WHERE state = 'available' AND stop IS NOT NULL AND kind = ANY ($2)
                 AND EXISTS (SELECT FROM queue.sessions WHERE id = $1 AND ended_at IS NULL)
               ORDER BY id
               LIMIT $3
               FOR UPDATE SKIP LOCKED))
           RETURNING id AS "id: JobId", queue, kind, priority, attempt, max_attempts, lease_seq, run_at, expires_at,
                     created_at, rescues, snoozes, unique_key, limit_key, traceparent, tracestate, args,
                     stop AS "stop: JobState", slot_at"#,
        session,
        kinds,
        count,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.claimed_by(session)).collect())
}

/// Gives back what this session leased in the database without this process knowing: a claim whose answer was cut off.
/// `held` are the leases it does know, until their ends are written down. Answers the queues.
pub(crate) async fn give_back_unknown(
    conn: &mut PgConnection,
    session: Uuid,
    held: &[i64],
) -> Result<Vec<String>, sqlx::Error> {
    // Plan: index scan on jobs_running: as many rows as run in this process.
    sqlx::query_scalar!(
        "UPDATE queue.jobs SET state = 'available', session_id = NULL, attempt = attempt - 1
         WHERE session_id = $1 AND state = 'running' AND id <> ALL ($2)
         RETURNING queue",
        session,
        held,
    )
    .fetch_all(&mut *conn)
    .await
}
