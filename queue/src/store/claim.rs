//! Leasing due jobs to a session.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::Row;
pub(crate) use super::row::{Claimed, Place};
use crate::ids::JobId;
use crate::job::JobState;

/// Leases up to `count` due jobs of a queue and of these kinds, in the order they are to run, after the position `after`.
/// None for an ended session. Rescued jobs are claimed by [`rescued`] instead.
pub(crate) async fn ready(
    conn: &mut PgConnection,
    session: Uuid,
    queue: &str,
    kinds: &[String],
    count: i64,
    now: DateTime<Utc>,
    after: Option<Place>,
) -> Result<Vec<Claimed>, sqlx::Error> {
    // Plan: for each kind an index scan on jobs_ready from its start or from `after`, stopped by the limit; then jobs_pkey
    // for each id. `after` skips the dead entries of jobs claimed since the last vacuum: 100,000 of them cost as much as
    // claiming 200 jobs.
    // No seq scan, no sort of more than kinds times limit: jobs that are scheduled, ended, beyond the limit or of other
    // kinds are never read. Candidates beyond the merged limit stay locked until the statement ends; other claims skip
    // them.
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

/// Leases one rescued job of any of these queues. They run one at a time in a process, so that the process' next death
/// is attributed to the job that caused it.
pub(crate) async fn rescued(
    conn: &mut PgConnection,
    session: Uuid,
    queues: &[String],
    kinds: &[String],
    now: DateTime<Utc>,
) -> Result<Option<Claimed>, sqlx::Error> {
    // Plan: jobs_rescued, which holds few rows, then jobs_pkey.
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

/// Leases up to `count` waiting jobs of these kinds that have a stop request, to end them without starting them. Pauses,
/// limits and permits do not apply.
pub(crate) async fn stopped(
    conn: &mut PgConnection,
    session: Uuid,
    kinds: &[String],
    count: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, sqlx::Error> {
    // Plan: index scan on jobs_stop, which is empty except in the second after a request; then jobs_pkey.
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

/// Releases jobs that this session leased without this process knowing, because the answer to a claim was lost. `held`
/// are the leases that the process knows. Returns the queue of each released job.
pub(crate) async fn give_back_unknown(
    conn: &mut PgConnection,
    session: Uuid,
    held: &[i64],
) -> Result<Vec<String>, sqlx::Error> {
    // Plan: index scan on jobs_running: as many rows as this process runs.
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
