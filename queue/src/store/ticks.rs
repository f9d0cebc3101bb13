//! Which ticks of periodic jobs have been made.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Notes a tick; false when it, or a later one, was noted before. In one transaction with the job it makes.
pub(crate) async fn note(
    conn: &mut PgConnection,
    name: &str,
    tick: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    // Plan: insert with periodic_pkey as arbiter.
    let noted = sqlx::query!(
        "INSERT INTO queue.periodic AS p (name, tick) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET tick = excluded.tick WHERE p.tick < excluded.tick",
        name,
        tick,
    )
    .execute(&mut *conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}
