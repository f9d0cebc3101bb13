//! How a process reaches Postgres.

use std::time::Duration;

use sqlx::{
    Connection, Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::config::Secret;

/// How a process uses its connections.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Shown in `pg_stat_activity`.
    pub program: &'static str,
    /// Most connections.
    pub connections: u32,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}

/// A connection that was idle for longer is asked whether it still is one.
const FRESH: Duration = Duration::from_secs(1);

/// A pool that opens connections as needed; nothing is connected yet.
///
/// # Errors
/// When the URL cannot be read; the error does not hold it.
pub fn pool(url: &Secret, usage: Usage) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = url
        .expose()
        .parse()
        .map_err(|_: sqlx::Error| sqlx::Error::Configuration("DATABASE_URL cannot be read".into()))?;
    let limits = format!(
        "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = 10000; SET lock_timeout = 2000",
        usage.statement_timeout.as_millis()
    );
    Ok(PgPoolOptions::new()
        .max_connections(usage.connections)
        .acquire_timeout(Duration::from_secs(3))
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for > FRESH {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |conn, _| {
            let limits = limits.clone();
            Box::pin(async move { conn.execute(sqlx::AssertSqlSafe(limits)).await.map(drop) })
        })
        .connect_lazy_with(options.application_name(usage.program)))
}

/// Whether the database answers.
///
/// # Errors
/// Why not.
pub async fn answers(pool: &PgPool) -> Result<(), sqlx::Error> {
    pool.acquire().await?.ping().await
}
