//! A connection to Postgres that is not shared and not pooled: opened when needed, closed after any error.

use std::future::Future;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("Postgres did not answer within {0:?}")]
    Late(Duration),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// One connection with a deadline on each call.
pub(crate) struct Link {
    options: PgConnectOptions,
    conn: Option<PgConnection>,
    since: Instant,
}

impl Link {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self { options, conn: None, since: Instant::now() }
    }

    /// The connection, opened if need be.
    pub(crate) async fn open(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if self.conn.is_none() {
            let mut conn = PgConnection::connect_with(&self.options).await?;
            // A plan made while a table was small would be kept long after it has grown.
            // Plan: none, a setting.
            sqlx::query("SET plan_cache_mode = force_custom_plan").execute(&mut conn).await?;
            self.since = Instant::now();
            self.conn = Some(conn);
        }
        self.conn.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// How long the connection has stood; zero without one.
    pub(crate) fn age(&self) -> Duration {
        if self.conn.is_some() { self.since.elapsed() } else { Duration::ZERO }
    }

    /// Closes the connection after an error: its state is not known.
    pub(crate) fn check<T>(&mut self, result: Result<T, LinkError>) -> Result<T, LinkError> {
        if result.is_err() {
            self.conn = None;
        }
        result
    }
}

/// A call that ends.
pub(crate) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, LinkError> {
    match tokio::time::timeout(deadline, call).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(LinkError::Late(deadline)),
    }
}
