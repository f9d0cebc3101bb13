//! A connection to Postgres for one task of the runtime, outside the pool.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("Postgres did not answer within {0:?}")]
    Timeout(Duration),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// One connection, opened on first use and closed after any error. Every call has a deadline.
pub(crate) struct DedicatedConn {
    options: PgConnectOptions,
    conn: Option<PgConnection>,
    since: Instant,
}

impl DedicatedConn {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self { options, conn: None, since: Instant::now() }
    }

    /// Runs `call` on the connection within `deadline`, which includes connecting. After an error the connection is
    /// closed, because its state is unknown.
    pub(crate) async fn call<T>(
        &mut self,
        deadline: Duration,
        call: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, CallError> {
        let calling = async { call(self.open().await?).await };
        let result = match tokio::time::timeout(deadline, calling).await {
            Ok(result) => result.map_err(CallError::from),
            Err(_) => Err(CallError::Timeout(deadline)),
        };
        if result.is_err() {
            self.conn = None;
        }
        result
    }

    async fn open(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if self.conn.is_none() {
            let mut conn = PgConnection::connect_with(&self.options).await?;
            // A generic plan made while a table was small would be kept after it has grown.
            // Plan: none, a setting.
            sqlx::query("SET plan_cache_mode = force_custom_plan").execute(&mut conn).await?;
            self.since = Instant::now();
            self.conn = Some(conn);
        }
        self.conn.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// How long the connection has been open; zero while it is closed.
    pub(crate) fn age(&self) -> Duration {
        if self.conn.is_some() { self.since.elapsed() } else { Duration::ZERO }
    }
}
