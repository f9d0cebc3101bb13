//! How much was done in a time.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::store::ended as store;

/// How many jobs of a queue ended in a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedCount {
    /// The queue.
    pub queue: String,
    /// With success.
    pub completed: i64,
    /// Discarded or cancelled.
    pub failed: i64,
}

/// The jobs that ended after `from` and not after `until`, by queue; those that were pruned since are not counted, so
/// ask soon (completed jobs are kept for a day). A job is counted once its end is committed, which may be a moment after
/// the instant it ended at: leave a few seconds between `until` and now.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn ended(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<EndedCount>> {
    Ok(store::between(conn, from, until).await?)
}

/// Whether there is such a queue: a worker serves or served it, it was set up at run time, or a job of it is due.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn is_queue(conn: &mut PgConnection, queue: &str) -> Result<bool> {
    Ok(store::is_queue(conn, queue).await?)
}
