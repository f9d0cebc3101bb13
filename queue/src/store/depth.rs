//! How much waits, for the metrics.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// How much of a queue is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Depth {
    pub(crate) queue: String,
    pub(crate) due: i64,
    pub(crate) oldest: Option<DateTime<Utc>>,
}

/// What is due and not yet claimed, by queue.
pub(crate) async fn due(conn: &mut PgConnection) -> Result<Vec<Depth>, sqlx::Error> {
    // Plan: index scan of jobs_ready, by the leader, four times a minute.
    sqlx::query_as!(
        Depth,
        r#"SELECT queue, count(*) AS "due!", min(run_at) AS oldest
           FROM queue.jobs WHERE state = 'available' AND rescues = 0 GROUP BY queue"#
    )
    .fetch_all(&mut *conn)
    .await
}
