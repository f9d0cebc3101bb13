//! Live workers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;
use crate::store::interval::interval;
use crate::timing::Timing;

/// A worker process. A process that lost its session opens a new one.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerStatus {
    /// Its session.
    pub session: Uuid,
    /// Host and process id unless a name was set.
    pub name: String,
    /// The program's version, if it names one.
    pub version: Option<String>,
    /// The queues it serves.
    pub queues: Vec<String>,
    /// The kinds of jobs it handles.
    pub kinds: Vec<String>,
    /// When the session was opened, by the clock of Postgres.
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat, by the clock of Postgres.
    pub heartbeat_at: DateTime<Utc>,
    /// Time since then; after 15 s its jobs are rescued.
    pub since_heartbeat: Duration,
    /// Jobs that it runs.
    pub running: i64,
    /// Whether it is the leader.
    pub leads: bool,
}

/// The sessions that have not ended, the oldest first.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn workers(conn: &mut PgConnection) -> Result<Vec<WorkerStatus>> {
    // Plan: scan of the sessions: as many rows as worker processes started in a day; for each live one an index scan on
    // jobs_running.
    let rows = sqlx::query!(
        r#"SELECT s.id, s.name, s.version, s.queues, s.kinds, s.started_at, s.beat_at AS heartbeat_at,
                  extract(epoch FROM clock_timestamp() - s.beat_at)::float8 AS "heartbeat_age!",
                  (SELECT count(*) FROM queue.jobs j WHERE j.session_id = s.id AND j.state = 'running') AS "running!",
                  EXISTS (SELECT FROM queue.leader l
                          WHERE l.session_id = s.id AND l.expires_at > clock_timestamp()
                            AND l.expires_at <= clock_timestamp() + 2 * $1::interval) AS "leads!"
           FROM queue.sessions s WHERE s.ended_at IS NULL ORDER BY s.started_at, s.id"#,
        interval(Timing::default().leader_lease),
    )
    .fetch_all(&mut *conn)
    .await?;
    let workers = rows.into_iter().map(|row| WorkerStatus {
        session: row.id,
        name: row.name,
        version: row.version,
        queues: row.queues,
        kinds: row.kinds,
        started_at: row.started_at,
        heartbeat_at: row.heartbeat_at,
        since_heartbeat: Duration::try_from_secs_f64(row.heartbeat_age).unwrap_or_default(),
        running: row.running,
        leads: row.leads,
    });
    Ok(workers.collect())
}
