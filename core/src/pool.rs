//! Connection pools to Postgres with a limit on every wait.
//!
//! The limits are start-up options of each connection. `PgBouncer` refuses them unless its
//! `ignore_startup_parameters` names `statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout`, and
//! `extra_float_digits`, which sqlx sends; give the limits to the role with `ALTER ROLE … SET` then (docs/operations.md).

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use crate::types::ParseError;
use crate::{Error, Result};

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

/// `lock_timeout`: limits the wait for the row of a calendar, an idempotency key or a booking.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// `idle_in_transaction_session_timeout`: the server ends an abandoned transaction.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// A connection that was idle for this long is tested before use.
const LONG_IDLE: Duration = Duration::from_secs(10);
/// Timeout of that test.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// A pool that connects on first use. It tests a connection before handing it out only if that was idle for long, or is
/// older than the last cut connection any statement met. So after a restart of Postgres one first statement fails and is
/// retried ([`again_if_cut`]), and healthy connections cost no test.
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
        .before_acquire(|connection, metadata| Box::pin(is_usable(connection, metadata)))
        .connect_lazy_with(options))
}

/// Runs `work` again if it failed because its connection was cut. Only for work that reads or has changed nothing.
///
/// # Errors
/// Those of `work`.
pub async fn again_if_cut<T, F: Future<Output = Result<T>>>(work: impl Fn() -> F) -> Result<T> {
    match work().await {
        Err(Error::Unavailable(error)) if is_cut(&error) => work().await,
        result => result,
    }
}

/// The one place where errors of the database become errors of use cases.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_cut(&error) {
            note_cut();
        }
        match &error {
            // Protocol: what a connection says that is cut while it is being opened.
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed => Self::Unavailable(error),
            sqlx::Error::Database(refusal) => match (refusal.code().as_deref(), refusal.constraint()) {
                (_, Some("bookings_no_overlap" | "bookings_seat")) => {
                    Self::SlotTaken { alternatives: Vec::new() }
                }
                (_, Some("users_email_key")) => Self::EmailTaken,
                (_, Some("staff_user_id_key")) => Self::Invalid {
                    pointer: "/user_id",
                    error: ParseError::new("user_taken", "another member of staff has this account"),
                },
                // The account was deleted while it booked.
                (_, Some("customers_user_id_fkey")) => Self::SessionEnded,
                (_, Some("staff_user_id_fkey")) => Self::Invalid {
                    pointer: "/user_id",
                    error: ParseError::new("unknown_user", "there is no such account"),
                },
                // lock_not_available, query_canceled, and the server going down or coming up.
                (Some("55P03" | "57014" | "57P01" | "57P02" | "57P03" | "53300"), _) => {
                    Self::Unavailable(error)
                }
                _ => Self::internal("database", error),
            },
            _ => Self::internal("database", error),
        }
    }
}

/// Whether the connection was cut, by Postgres or the network.
fn is_cut(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Milliseconds after `START`; 0 before the first cut.
static LAST_CUT: AtomicU64 = AtomicU64::new(0);

fn since_start() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Marks connections opened until now as doubtful.
fn note_cut() {
    LAST_CUT.fetch_max(since_start() + 1, Ordering::Relaxed);
}

async fn is_usable(
    connection: &mut PgConnection,
    metadata: PoolConnectionMetadata,
) -> Result<bool, sqlx::Error> {
    let last_cut = LAST_CUT.load(Ordering::Relaxed);
    let age = u64::try_from(metadata.age.as_millis()).unwrap_or(u64::MAX);
    // Opened before the cut and perhaps not used since; longer idle times are covered by the next condition.
    let now = since_start();
    let doubtful =
        now.saturating_sub(age) < last_cut && u128::from(now - last_cut.min(now)) <= LONG_IDLE.as_millis();
    if !doubtful && metadata.idle_for < LONG_IDLE {
        return Ok(true);
    }
    Ok(matches!(tokio::time::timeout(PING_TIMEOUT, connection.ping()).await, Ok(Ok(()))))
}
