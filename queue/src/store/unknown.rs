//! Jobs of kinds that no worker handles.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::interval::interval;
use super::row::{Claimed, Row};
use crate::ids::JobId;
use crate::job::JobState;

/// Ends up to `count` jobs that have been due for `after` and whose kind no worker has handled for as long. They are
/// discarded with this note, or end as an operator requested.
pub(crate) async fn end(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    after: Duration,
    note: &str,
    count: i64,
) -> Result<Vec<Claimed>, sqlx::Error> {
    // Plan: the pairs of queue and kind by a loose index scan of jobs_ready; for each abandoned pair an index scan of it,
    // stopped by the limit; jobs_rescued, which holds few rows; then jobs_pkey. Runs once an hour.
    let rows = sqlx::query_as!(
        Row,
        r#"WITH RECURSIVE pairs AS (
               (SELECT queue, kind FROM queue.jobs WHERE state = 'available' AND rescues = 0
                ORDER BY queue, kind LIMIT 1)
               UNION ALL
               SELECT n.queue, n.kind FROM pairs p CROSS JOIN LATERAL (
                   SELECT queue, kind FROM queue.jobs
                   WHERE state = 'available' AND rescues = 0 AND (queue, kind) > (p.queue, p.kind)
                   ORDER BY queue, kind LIMIT 1) AS n
           ), abandoned AS (
               SELECT j.id FROM pairs p CROSS JOIN LATERAL (
                   SELECT id FROM queue.jobs
                   WHERE queue = p.queue AND kind = p.kind AND state = 'available' AND rescues = 0
                     AND run_at < $1::timestamptz - $2::interval
                   LIMIT $4) AS j
               WHERE NOT EXISTS (SELECT FROM queue.kinds k
                                 WHERE k.kind = p.kind AND k.seen_at > clock_timestamp() - $2::interval)
               UNION ALL
               SELECT id FROM queue.jobs r
               WHERE state = 'available' AND rescues > 0 AND run_at < $1::timestamptz - $2::interval
                 AND NOT EXISTS (SELECT FROM queue.kinds k
                                 WHERE k.kind = r.kind AND k.seen_at > clock_timestamp() - $2::interval)
           )
           UPDATE queue.jobs
           SET state = coalesce(stop, 'discarded'), finalized_at = $1, note = $3
           WHERE id = ANY (ARRAY(
               SELECT id FROM queue.jobs WHERE id IN (SELECT id FROM abandoned LIMIT $4) AND state = 'available'
               FOR UPDATE SKIP LOCKED))
           RETURNING id AS "id: JobId", queue, kind, priority, attempt, max_attempts, lease_seq, run_at, expires_at,
                     created_at, rescues, snoozes, unique_key, limit_key, traceparent, tracestate, args,
                     stop AS "stop: JobState", slot_at"#,
        now,
        interval(after),
        note,
        count,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.claimed_by(Uuid::nil())).collect())
}
