//! The schema: bringing it up to this build, and telling whether it is.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

/// The migrations of the domain; the queue has its own.
pub static MIGRATOR: Migrator = {
    let mut migrator = sqlx::migrate!("../migrations");
    migrator.ignore_missing = true;
    migrator
};

/// Brings queue and domain up to this build, in this order. A schema that is newer is left alone, so that releases can
/// roll. Wants a direct connection, not one through a transaction pooler: it takes an advisory lock.
///
/// # Errors
/// When a migration fails, or one that was applied differs from this build's.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), MigrateError> {
    punctual_queue::migrate(conn).await?;
    MIGRATOR.run(conn).await
}

/// Whether the database has every migration of this build; a newer schema has.
///
/// # Errors
/// When Postgres does not answer.
pub async fn is_current(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let applied =
        sqlx::query_scalar!(r#"SELECT to_regclass('public._punctual_core_migrations') IS NOT NULL AS "is!""#)
            .fetch_one(&mut *conn)
            .await?;
    if !applied {
        return Ok(false);
    }
    let newest =
        sqlx::query_scalar!("SELECT max(version) FROM public._punctual_core_migrations WHERE success")
            .fetch_one(conn)
            .await?;
    let needed = MIGRATOR.iter().map(|migration| migration.version).max();
    Ok(newest >= needed)
}
