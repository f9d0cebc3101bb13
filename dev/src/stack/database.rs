//! The stack's database.

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};

/// Name of the stack's own database.
pub(super) const NAME: &str = "punctual";

/// Creates the database on the stack's own server if needed.
///
/// # Errors
///
/// When the server refuses.
pub async fn ensure_database(server: &str) -> Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(NAME)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        connection.execute("CREATE DATABASE punctual").await?;
    }
    connection.close().await?;
    Ok(())
}

/// Migrates both schemas.
pub(super) async fn migrate(url: &str) -> Result<()> {
    let options: PgConnectOptions = url.parse().context("the database URL is wrong")?;
    let mut connection = options.connect().await.context("the database cannot be reached")?;
    punctual_core::migrate(&mut connection).await.context("a migration fails")?;
    connection.close().await?;
    Ok(())
}
