//! Settings and stop requests of operators, as workers read them.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::ids::JobId;
use crate::job::JobState;
use crate::limits::limit::Limit;

/// The run-time settings of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueControl {
    pub(crate) queue: String,
    pub(crate) paused: bool,
    pub(crate) limit: Option<Limit>,
    pub(crate) key_limit: Option<Limit>,
}

/// The settings of these queues; a queue without a row is left out.
pub(crate) async fn queues(
    conn: &mut PgConnection,
    names: &[String],
) -> Result<Vec<QueueControl>, sqlx::Error> {
    // Plan: queues_pkey, or a scan of the few rows.
    let rows = sqlx::query!(
        "SELECT queue, paused, limit_count, limit_per_ms, limit_burst, key_limit_count, key_limit_per_ms,
                key_limit_burst
         FROM queue.queues WHERE queue = ANY ($1)",
        names
    )
    .fetch_all(&mut *conn)
    .await?;
    let controls = rows.into_iter().map(|row| QueueControl {
        queue: row.queue,
        paused: row.paused,
        limit: Limit::from_row(row.limit_count, row.limit_per_ms, row.limit_burst),
        key_limit: Limit::from_row(row.key_limit_count, row.key_limit_per_ms, row.key_limit_burst),
    });
    Ok(controls.collect())
}

/// The running jobs of a session that have a stop request, with the final state requested.
pub(crate) async fn stops(
    conn: &mut PgConnection,
    session: Uuid,
) -> Result<Vec<(JobId, JobState)>, sqlx::Error> {
    // Plan: index scan on jobs_running.
    let rows = sqlx::query!(
        r#"SELECT id AS "id: JobId", stop AS "stop!: JobState" FROM queue.jobs
           WHERE session_id = $1 AND state = 'running' AND stop IS NOT NULL"#,
        session
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.stop)).collect())
}
