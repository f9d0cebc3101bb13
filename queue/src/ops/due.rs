//! What is due, and when the next job is.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;

/// What is due at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueCount {
    /// Jobs that run, or are due and wait for a worker. Those of paused queues are not counted.
    pub count: i64,
    /// When the next job falls due; `None`: no job is planned.
    pub next: Option<DateTime<Utc>>,
}

/// How much is due at `now`, and what comes next.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn due(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<DueCount> {
    // Plan: the live jobs, which partial indexes hold; completed ones are not read.
    let due = sqlx::query_as!(
        DueCount,
        r#"SELECT count(*) FILTER (WHERE j.state = 'running' OR j.run_at <= $1) AS "count!",
                  min(j.run_at) FILTER (WHERE j.state <> 'running' AND j.run_at > $1) AS next
           FROM queue.jobs AS j LEFT JOIN queue.queues AS q USING (queue)
           WHERE j.state IN ('scheduled', 'available', 'retryable', 'running') AND q.paused IS NOT TRUE"#,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(due)
}
