use std::process::ExitCode;

use punctual_core::{config::Config, migrate};
use sqlx::{Connection, PgConnection};

use super::Failure;

/// Migrates queue and domain over a connection of its own.
pub async fn run(config: &Config) -> Result<ExitCode, Failure> {
    let mut conn = PgConnection::connect(config.database_url()?.expose())
        .await
        .map_err(|error| format!("the database (DATABASE_URL) cannot be reached: {error}"))?;
    migrate::migrate(&mut conn).await?;
    conn.close().await?;
    println!("The schema is up to date.");
    Ok(ExitCode::SUCCESS)
}
