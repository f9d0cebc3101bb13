//! Migrates the schema, and checks that this build can work with it.
//!
//! The version of a build is the newest migration it knows. A build refuses an older schema. It accepts a newer one unless
//! `schema_compatibility.min_app` is above its version. So a rolling release migrates first, then replaces the programs
//! one by one.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres};

use crate::changes;

/// The migrations of the domain; the queue has its own.
pub static MIGRATOR: Migrator = {
    let mut migrator = sqlx::migrate!("../migrations");
    migrator.ignore_missing = true;
    migrator
};

/// Timeout of a pooler's further server connection in the check of prepared statements.
const POOLER_TIMEOUT: Duration = Duration::from_secs(2);

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
    /// It is newer than the program and requires a newer one.
    #[error(
        "the schema needs a program that knows migration {needed}, this one knows {known}: use a newer release"
    )]
    TooNew {
        /// The version that the schema requires.
        needed: i64,
        /// The newest migration this program knows.
        known: i64,
    },
    /// A connection pooler loses prepared statements.
    #[error(
        "DATABASE_URL leads through a pooler that loses prepared statements: use PgBouncer 1.21 or newer with \
         max_prepared_statements above 0, or pool_mode = session"
    )]
    Pooler,
    /// Postgres did not answer.
    #[error("the schema's version cannot be read")]
    Database(#[from] sqlx::Error),
}

/// Rights of the role `punctual_app`, where it exists (`deploy/postgres/roles.sql`).
const GRANTS: &str = include_str!("migrate/grants.sql");

/// Migrates the queue, then the domain, to this build; leaves a newer schema unchanged. Then grants the programs' role its
/// rights. Needs a direct connection, not a transaction pooler, because it takes an advisory lock.
///
/// # Errors
/// When a migration fails, or one that was applied differs from this build's.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), MigrateError> {
    // The role's defaults are for requests; a migration may wait and run longer.
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0").execute(&mut *conn).await?;
    punctual_queue::migrate(conn).await?;
    MIGRATOR.run(&mut *conn).await?;
    sqlx::raw_sql(GRANTS).execute(&mut *conn).await?;
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

/// Waits until the database answers, with a log line for each attempt; then runs [`check`] and returns the connection.
///
/// # Errors
/// See [`SchemaError`]. Wrong credentials and a missing database are permanent: they fail at once.
pub async fn wait(pool: &PgPool) -> Result<PoolConnection<Postgres>, SchemaError> {
    let mut pause = Duration::from_millis(100);
    loop {
        match check_through(pool).await {
            Err(SchemaError::Database(error)) if !is_permanent(&error) => {
                tracing::warn!(%error, "waiting for the database (DATABASE_URL)");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            answered => return answered,
        }
    }
}

async fn check_through(pool: &PgPool) -> Result<PoolConnection<Postgres>, SchemaError> {
    let checking = async {
        let mut conn = pool.acquire().await?;
        check(&mut conn).await?;
        if pool.options().get_max_connections() > 1 {
            check_prepared_statements(&mut conn, pool).await?;
        }
        Ok::<_, SchemaError>(conn)
    };
    checking.await.map_err(|error| match error {
        SchemaError::Database(error) if is_lost_statement(&error) => SchemaError::Pooler,
        error => error,
    })
}

/// Runs a prepared statement again while another connection holds the server connection that it was prepared on. Without
/// a pooler, or with one that keeps prepared statements, that works.
async fn check_prepared_statements(conn: &mut PgConnection, pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut other = pool.acquire().await?;
    for _ in 0..3 {
        let server = backend_pid(conn).await?;
        let mut holding = other.begin().await?;
        let held = backend_pid(&mut holding).await?;
        // A pooler without a further server connection lets this wait: the result is then unknown.
        let again = tokio::time::timeout(POOLER_TIMEOUT, backend_pid(conn)).await;
        holding.rollback().await?;
        match again {
            Ok(result) => _ = result?,
            Err(_) => return Ok(()),
        }
        if held != server {
            return Ok(());
        }
    }
    Ok(())
}

async fn backend_pid(conn: &mut PgConnection) -> Result<i32, sqlx::Error> {
    // Plan: a constant.
    sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!""#).fetch_one(conn).await
}

/// A prepared statement that does not exist (26000), or exists already under this name (42P05).
fn is_lost_statement(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("26000" | "42P05"))
}

/// Wrong credentials and a database that does not exist.
fn is_permanent(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("28P01" | "28000" | "3D000"))
}

/// The newest migration in the table.
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
