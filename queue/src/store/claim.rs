//! Leasing due jobs to a session.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::context::JobInfo;
use crate::job::{JobId, JobState, TraceContext};

/// A job that this session has just leased.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) info: JobInfo,
    pub(crate) session: Uuid,
    pub(crate) args: serde_json::Value,
    /// Somebody wants it ended so, unrun.
    pub(crate) stop: Option<JobState>,
    /// The slot that the limit per key reserved for it.
    pub(crate) slot_at: Option<DateTime<Utc>>,
}

struct Row {
    id: JobId,
    queue: String,
    kind: String,
    attempt: i32,
    max_attempts: i32,
    lease_seq: i64,
    run_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    rescues: i16,
    snoozes: i32,
    unique_key: Option<String>,
    limit_key: Option<String>,
    traceparent: Option<String>,
    tracestate: Option<String>,
    args: serde_json::Value,
    stop: Option<JobState>,
    slot_at: Option<DateTime<Utc>>,
}

impl Row {
    fn claimed_by(self, session: Uuid) -> Claimed {
        let trace =
            self.traceparent.map(|traceparent| TraceContext { traceparent, tracestate: self.tracestate });
        Claimed {
            info: JobInfo {
                id: self.id,
                queue: self.queue,
                kind: self.kind,
                attempt: self.attempt,
                max_attempts: self.max_attempts,
                lease_seq: self.lease_seq,
                run_at: self.run_at,
                expires_at: self.expires_at,
                created_at: self.created_at,
                rescues: self.rescues,
                snoozes: self.snoozes,
                unique_key: self.unique_key,
                limit_key: self.limit_key,
                trace,
            },
            session,
            args: self.args,
            stop: self.stop,
            slot_at: self.slot_at,
        }
    }
}

/// Leases up to `count` due jobs of a queue, of the kinds this worker knows, in the order they are to run. An ended
/// session gets none. Jobs that were rescued are left to [`rescued`].
pub(crate) async fn ready(
    conn: &mut PgConnection,
    session: Uuid,
    queue: &str,
    kinds: &[String],
    count: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, sqlx::Error> {
    // Plan: index scan on jobs_ready from its start, stopped by the limit, then jobs_pkey for each id. No sort, no
    // seq scan: what is scheduled or final is never touched, what is due beyond the limit neither.
    let rows = sqlx::query_as!(
        Row,
        r#"UPDATE queue.jobs
           SET state = 'running', session_id = $1, attempt = attempt + 1, lease_seq = lease_seq + 1, attempted_at = $5
           WHERE id = ANY (ARRAY(
               SELECT id FROM queue.jobs
               WHERE queue = $2 AND state = 'available' AND rescues = 0 AND kind = ANY ($3)
                 AND EXISTS (SELECT FROM queue.sessions WHERE id = $1 AND ended_at IS NULL)
               ORDER BY priority, run_at, id
               LIMIT $4
               FOR UPDATE SKIP LOCKED))
           RETURNING id AS "id: JobId", queue, kind, attempt, max_attempts, lease_seq, run_at, expires_at, created_at,
                     rescues, snoozes, unique_key, limit_key, traceparent, tracestate, args,
                     stop AS "stop: JobState", slot_at"#,
        session,
        queue,
        kinds,
        count,
        now,
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
           RETURNING id AS "id: JobId", queue, kind, attempt, max_attempts, lease_seq, run_at, expires_at, created_at,
                     rescues, snoozes, unique_key, limit_key, traceparent, tracestate, args,
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
