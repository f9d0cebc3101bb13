//! Connection pools to Postgres with a limit on every wait.
//!
//! The limits are start-up options of each connection. `PgBouncer` refuses them unless its
//! `ignore_startup_parameters` names `statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout`, and
//! `extra_float_digits`, which sqlx sends; give the limits to the role with `ALTER ROLE … SET` then (docs/operations.md).

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use punctual_queue::is_unavailable;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

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

/// Maps errors of the database to errors of use cases; the only place that does.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_cut(&error) {
            note_cut();
        }
        note_storage_failure(&error);
        match &error {
            _ if is_unavailable(&error) => Self::Unavailable(error),
            sqlx::Error::Database(refusal) => match (refusal.code().as_deref(), refusal.constraint()) {
                (
                    _,
                    Some(
                        "bookings_no_overlap"
                        | "bookings_seat"
                        | "bookings_seats"
                        | "booking_resources_no_overlap",
                    ),
                ) => Self::slot_taken(),
                (_, Some("users_email_key")) => Self::EmailTaken,
                (_, Some("staff_user_id_key")) => Self::Invalid {
                    pointer: "/user_id",
                    error: ParseError::new("user_taken", "another member of staff has this account"),
                },
                // The account was deleted during the booking.
                (_, Some("customers_user_id_fkey")) => Self::SessionEnded,
                (_, Some("staff_user_id_fkey")) => Self::Invalid {
                    pointer: "/user_id",
                    error: ParseError::new("unknown_user", "there is no such account"),
                },
                // lock_not_available, query_canceled.
                (Some("55P03" | "57014"), _) => Self::Unavailable(error),
                _ => Self::internal("database", error),
            },
            _ => Self::internal("database", error),
        }
    }
}

/// Whether the connection was cut, or leads to a server that can't write: it must be tested before it is used again.
pub(crate) fn is_cut(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) && is_unavailable(error)
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

/// Milliseconds after `START` of the last write that failed for lack of disk or memory; 0: none.
static LAST_STORAGE_FAILURE: AtomicU64 = AtomicU64::new(0);
/// A program counts as not ready for this long after such a failure.
const STORAGE_FAILURE_COUNTS: Duration = Duration::from_secs(10);

fn note_storage_failure(error: &sqlx::Error) {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    if code.is_some_and(|code| code == "53100" || code == "53200" || code.starts_with("58")) {
        LAST_STORAGE_FAILURE.fetch_max(since_start() + 1, Ordering::Relaxed);
    }
}

/// Checks that Postgres answers, is not read-only, and has not failed for lack of disk or memory in the last 10 s.
///
/// # Errors
/// [`Error::Unavailable`] otherwise.
pub async fn check_ready(pool: &PgPool) -> Result<()> {
    let mut conn = pool.acquire().await?;
    if !is_writable(&mut conn).await? {
        note_cut();
        conn.close_on_drop();
        return Err(Error::Unavailable(sqlx::Error::Protocol("Postgres is read-only".to_owned())));
    }
    let failed_at = LAST_STORAGE_FAILURE.load(Ordering::Relaxed);
    if failed_at > 0
        && u128::from(since_start().saturating_sub(failed_at)) < STORAGE_FAILURE_COUNTS.as_millis()
    {
        return Err(Error::Unavailable(sqlx::Error::Protocol("Postgres lacks disk or memory".to_owned())));
    }
    Ok(())
}

/// Whether the connection leads to a server that can write. After a fail-over one to the former primary can only read.
async fn is_writable(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Plan: a constant.
    sqlx::query_scalar!(r#"SELECT current_setting('transaction_read_only') = 'off' AS "writable!""#)
        .fetch_one(connection)
        .await
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
    Ok(matches!(tokio::time::timeout(PING_TIMEOUT, is_writable(connection)).await, Ok(Ok(true))))
}
