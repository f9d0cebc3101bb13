//! Periodic jobs.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;

/// A periodic job that has been enqueued at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodicStatus {
    /// Its name.
    pub name: String,
    /// Its last tick: when its last job was due.
    pub last: DateTime<Utc>,
    /// Its next tick; none if the worker that enqueued the last one did not store the period.
    pub next: Option<DateTime<Utc>>,
}

/// The periodic jobs, by name. One that a newer version removed stays in the list, with a next tick in the past.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn periodic(conn: &mut PgConnection) -> Result<Vec<PeriodicStatus>> {
    // Plan: scan of the table, one row for each periodic job.
    let rows = sqlx::query_as!(
        PeriodicStatus,
        r#"SELECT name, tick AS last, tick + period AS next FROM queue.periodic ORDER BY name"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
