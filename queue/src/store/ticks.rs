//! The last tick of each periodic job.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::interval::interval;

/// Records a tick of a job with this period; false when this tick or the next one is recorded. A stored tick that lies
/// further ahead comes from a clock that was wrong: it is replaced. The period is stored for operators. Runs in one
/// transaction with the tick's job.
pub(crate) async fn note(
    conn: &mut PgConnection,
    name: &str,
    tick: DateTime<Utc>,
    every: Duration,
) -> Result<bool, sqlx::Error> {
    // Plan: insert with periodic_pkey as arbiter.
    let noted = sqlx::query!(
        "INSERT INTO queue.periodic AS p (name, tick, period) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET tick = excluded.tick, period = excluded.period
         WHERE p.tick < excluded.tick OR p.tick > excluded.tick + $3::interval",
        name,
        tick,
        interval(every),
    )
    .execute(&mut *conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}
