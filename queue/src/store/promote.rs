//! Promotion: waiting jobs become available when they are due.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// How many jobs were promoted, and their queues.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Promoted {
    pub(crate) jobs: usize,
    pub(crate) queues: BTreeSet<String>,
}

/// Makes up to `count` jobs available that are due at `now`, the earliest first.
pub(crate) async fn promote(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    count: i64,
) -> Result<Promoted, sqlx::Error> {
    // Plan: index scan on jobs_waiting from its start, stopped by the limit, then jobs_pkey for each id.
    let queues = sqlx::query_scalar!(
        "UPDATE queue.jobs SET state = 'available'
         WHERE id = ANY (ARRAY(
             SELECT id FROM queue.jobs
             WHERE state IN ('scheduled', 'retryable') AND run_at <= $1
             ORDER BY run_at
             LIMIT $2
             FOR UPDATE SKIP LOCKED))
         RETURNING queue",
        now,
        count,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(Promoted { jobs: queues.len(), queues: queues.into_iter().collect() })
}

/// When the next waiting job is due.
pub(crate) async fn next_due(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    // Plan: first row of jobs_waiting.
    sqlx::query_scalar!(
        "SELECT run_at FROM queue.jobs WHERE state IN ('scheduled', 'retryable') ORDER BY run_at LIMIT 1"
    )
    .fetch_optional(&mut *conn)
    .await
}
