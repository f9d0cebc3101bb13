//! The identity of the database.

use sqlx::PgConnection;

/// The prefix of every Redis key and channel of the programs on this database: its id, stored by a migration. Deployments
/// that share a Redis therefore share neither limits nor wake-ups.
///
/// # Errors
/// When Postgres does not answer.
pub async fn redis_prefix(conn: &mut PgConnection) -> Result<String, sqlx::Error> {
    // Plan: deployment's one row.
    let id = sqlx::query_scalar!("SELECT id FROM queue.deployment").fetch_one(&mut *conn).await?;
    Ok(format!("punctual:{}:", id.simple()))
}
