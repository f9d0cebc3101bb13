//! The schema: bringing it up to this build, and refusing one that this build cannot work with.
//!
//! A program's build is, for this purpose, the newest migration it knows. It refuses a schema older than that. It
//! accepts a newer one, unless the migration that made it so says in `schema_compatibility.min_app` that programs of
//! this build cannot work with it. So releases roll: migrate first, then replace the programs one by one.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::changes;

/// The migrations of the domain; the queue has its own.
pub static MIGRATOR: Migrator = {
    let mut migrator = sqlx::migrate!("../migrations");
    migrator.ignore_missing = true;
    migrator
};

/// Why a program cannot work with the database's schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// There is none.
    #[error("the database has no schema yet: run `punctual-api migrate`")]
    Missing,
    /// It is older than the program.
    #[error(
        "the {schema} schema is at migration {found}, this program needs {needed}: run `punctual-api migrate`"
    )]
    TooOld {
        /// `core` or `queue`.
        schema: &'static str,
        /// Its newest migration.
        found: i64,
        /// The newest migration this program knows.
        needed: i64,
    },
    /// It is newer than the program, and says that this program is too old for it.
    #[error(
        "the schema needs a program that knows migration {needed}, this one knows {known}: use a newer release"
    )]
    TooNew {
        /// What the schema asks for.
        needed: i64,
        /// The newest migration this program knows.
        known: i64,
    },
    /// Postgres did not answer.
    #[error("the schema's version cannot be read")]
    Database(#[from] sqlx::Error),
}

/// Brings queue and domain up to this build, in this order. A schema that is newer is left alone. Wants a direct
/// connection, not one through a transaction pooler: it takes an advisory lock.
///
/// # Errors
/// When a migration fails, or one that was applied differs from this build's.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), MigrateError> {
    // The role's defaults are meant for requests: a migration may wait and work longer.
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0").execute(&mut *conn).await?;
    punctual_queue::migrate(conn).await?;
    MIGRATOR.run(&mut *conn).await?;
    changes::rebase(conn).await?;
    Ok(())
}

/// Whether this program can work with the database's schema.
///
/// # Errors
/// See [`SchemaError`].
pub async fn check(conn: &mut PgConnection) -> Result<(), SchemaError> {
    let queue = newest(conn, "queue._punctual_queue_migrations").await?;
    at_least("queue", queue, &punctual_queue::MIGRATOR)?;
    let core = newest(conn, "public._punctual_core_migrations").await?;
    let known = at_least("core", core, &MIGRATOR)?;
    let needed = sqlx::query_scalar!("SELECT min_app FROM schema_compatibility").fetch_one(conn).await?;
    if needed > known { Err(SchemaError::TooNew { needed, known }) } else { Ok(()) }
}

/// Waits until the database answers, and says so in the log; then checks as [`check`] does, and gives the connection.
///
/// # Errors
/// See [`SchemaError`]; wrong credentials and a database that is not there do not mend themselves and are not waited for.
pub async fn wait(pool: &PgPool) -> Result<PoolConnection<Postgres>, SchemaError> {
    let mut pause = Duration::from_millis(100);
    loop {
        match check_through(pool).await {
            Err(SchemaError::Database(error)) if !is_for_good(&error) => {
                tracing::warn!(%error, "waiting for the database (DATABASE_URL)");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            answered => return answered,
        }
    }
}

async fn check_through(pool: &PgPool) -> Result<PoolConnection<Postgres>, SchemaError> {
    let mut conn = pool.acquire().await?;
    check(&mut conn).await?;
    Ok(conn)
}

/// Wrong credentials and a database that does not exist.
fn is_for_good(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("28P01" | "28000" | "3D000"))
}

/// The newest migration that the table has.
async fn newest(conn: &mut PgConnection, table: &'static str) -> Result<i64, SchemaError> {
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(&mut *conn).await?;
    if !there {
        return Err(SchemaError::Missing);
    }
    let statement = sqlx::AssertSqlSafe(format!("SELECT max(version) FROM {table} WHERE success"));
    let newest: Option<i64> = sqlx::query_scalar(statement).fetch_one(conn).await?;
    newest.ok_or(SchemaError::Missing)
}

/// The newest migration this program knows, if the schema has it.
fn at_least(schema: &'static str, found: i64, migrator: &Migrator) -> Result<i64, SchemaError> {
    let needed = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    if found < needed { Err(SchemaError::TooOld { schema, found, needed }) } else { Ok(needed) }
}
