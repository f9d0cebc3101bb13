//! Which workers live.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// A worker process as an operator sees it. A process that lost its session has a new one.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerStatus {
    /// Its session.
    pub session: Uuid,
    /// What it is called: host and process id unless it was named.
    pub name: String,
    /// The queues it serves.
    pub queues: Vec<String>,
    /// The kinds of jobs it takes.
    pub kinds: Vec<String>,
    /// When the session was opened, by the clock of Postgres.
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat, by the clock of Postgres.
    pub beat_at: DateTime<Utc>,
    /// How long that is ago; after 15 s its jobs are given to others.
    pub silent: Duration,
    /// Jobs that run in it.
    pub running: i64,
    /// Whether it leads.
    pub leads: bool,
}

/// The sessions that have not ended, the oldest first.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn workers(conn: &mut PgConnection) -> Result<Vec<WorkerStatus>> {
    // Plan: scan of the sessions, of which there are as many as worker processes in a day; for each that lives an index
    // scan on jobs_running.
    let rows = sqlx::query!(
        r#"SELECT s.id, s.name, s.queues, s.kinds, s.started_at, s.beat_at,
                  extract(epoch FROM clock_timestamp() - s.beat_at)::float8 AS "silent!",
                  (SELECT count(*) FROM queue.jobs j WHERE j.session_id = s.id AND j.state = 'running') AS "running!",
                  EXISTS (SELECT FROM queue.leader l
                          WHERE l.session_id = s.id AND l.expires_at > clock_timestamp()) AS "leads!"
           FROM queue.sessions s WHERE s.ended_at IS NULL ORDER BY s.started_at, s.id"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let workers = rows.into_iter().map(|row| WorkerStatus {
        session: row.id,
        name: row.name,
        queues: row.queues,
        kinds: row.kinds,
        started_at: row.started_at,
        beat_at: row.beat_at,
        silent: Duration::try_from_secs_f64(row.silent).unwrap_or_default(),
        running: row.running,
        leads: row.leads,
    });
    Ok(workers.collect())
}
