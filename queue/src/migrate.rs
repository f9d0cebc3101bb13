//! The queue's own tables, in the schema `queue`, with a migration table of their own.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

/// The migrations of this build.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Brings the schema `queue` up to this build; a database that is already there is left alone. Wants a direct
/// connection, not one through a transaction pooler: it takes an advisory lock.
///
/// # Errors
/// When a migration fails, or one that was applied differs from this build's.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), MigrateError> {
    MIGRATOR.run(conn).await
}
