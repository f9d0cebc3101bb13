//! The one way a program connects to Postgres, so that every wait ends.
//!
//! The limits travel as start-up options of each connection. `PgBouncer` refuses them unless its
//! `ignore_startup_parameters` names `statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout`; give
//! them to the role with `ALTER ROLE … SET` then.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// How a program connects.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Name that `pg_stat_activity` shows.
    pub program: &'static str,
    /// Connections at most.
    pub connections: u32,
    /// How long one statement may take on the server.
    pub statement_timeout: Duration,
    /// How long a use case waits for a connection.
    pub acquire_timeout: Duration,
}

/// Waits for locks end with this: the row of a calendar, of an idempotency key, of a booking.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// A transaction that its program forgot is ended by the server.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// A pool that connects when it is first used. Connections are not tried before they are handed out: what uses them
/// meets a cut one as an error of its first statement, and tries again.
///
/// # Errors
/// When the URL cannot be read.
pub fn connect(database_url: &str, settings: &PoolSettings) -> Result<PgPool, sqlx::Error> {
    let millis = |limit: Duration| limit.as_millis().to_string();
    let options: PgConnectOptions = database_url.parse()?;
    let options = options.application_name(settings.program).options([
        ("statement_timeout", millis(settings.statement_timeout)),
        ("lock_timeout", millis(LOCK_TIMEOUT)),
        ("idle_in_transaction_session_timeout", millis(IDLE_IN_TRANSACTION)),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(settings.connections)
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .connect_lazy_with(options))
}
