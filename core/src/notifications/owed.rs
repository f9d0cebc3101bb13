//! The age of the oldest due mail that has not been sent.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::Result;

/// Time since the oldest unsent mail became due, in any state of its job; zero when none is due.
///
/// # Errors
/// When the database does not answer.
pub async fn oldest_owed_age(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<TimeDelta> {
    // Plan: first row of notifications_owed.
    let oldest = sqlx::query_scalar!(
        "SELECT send_at FROM notifications WHERE outcome IS NULL AND send_at <= $1 ORDER BY send_at LIMIT 1",
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(oldest.map_or(TimeDelta::zero(), |oldest| now - oldest))
}
