//! Migrations of the schema `queue`, recorded in a migration table of its own.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

/// The migrations of this build.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Applies the migrations that the database lacks. Needs a direct connection, not a transaction pooler: it takes a session
/// advisory lock.
///
/// # Errors
/// When a migration fails, or an applied migration differs from this build's.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), MigrateError> {
    MIGRATOR.run(conn).await
}
