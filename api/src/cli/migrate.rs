use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use punctual_core::{config::Config, migrate};
use sqlx::{Connection, PgConnection};

use super::Failure;

/// How long to wait until the database accepts connections.
const WAIT_TIMEOUT: Duration = Duration::from_mins(1);

/// Migrates queue and domain over a dedicated connection.
pub async fn run(config: &Config) -> Result<ExitCode, Failure> {
    let mut conn = connect(config.database_url()?.expose())
        .await
        .map_err(|error| format!("the database (DATABASE_URL) cannot be reached: {error}"))?;
    migrate::migrate(&mut conn).await?;
    // A newer schema is not changed, and may require a newer release.
    migrate::check(&mut conn).await?;
    conn.close().await?;
    println!("The schema is up to date.");
    Ok(ExitCode::SUCCESS)
}

/// Waits for a database that does not listen yet, with a message for each attempt; wrong credentials fail at once.
async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let until = Instant::now() + WAIT_TIMEOUT;
    loop {
        match PgConnection::connect(url).await {
            Err(error) if starts(&error) && Instant::now() < until => {
                eprintln!("waiting for the database (DATABASE_URL): {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            result => return result,
        }
    }
}

/// Whether nothing listens, or the server is starting or stopping.
fn starts(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
