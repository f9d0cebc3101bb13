use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Clock, ServerClock, SharedClock};
use sqlx::{PgConnection, PgPool};

/// Between reads of how far the test clock is ahead: a process follows within this time.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(100);
/// How long one read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a program does not start with this database.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The database does not answer.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The program is no sandbox and its database is one's.
    #[error(
        "this database belongs to a sandbox, where the clock was moved: set PUNCTUAL_SANDBOX=on, or use another database"
    )]
    IsSandbox,
    /// The program is a sandbox and its database is in use without one.
    #[error(
        "PUNCTUAL_SANDBOX=on needs a database of its own: this one has bookings that were made without a sandbox, and \
         PUNCTUAL_PUBLIC_URL is not on localhost"
    )]
    InUse,
}

/// The clock of Postgres, and by how much the sandbox is ahead of it.
struct SandboxClock {
    server: Arc<ServerClock>,
    ahead_us: AtomicI64,
}

impl Clock for SandboxClock {
    fn now(&self) -> DateTime<Utc> {
        self.server.now() + TimeDelta::microseconds(self.ahead_us.load(Ordering::SeqCst))
    }
}

/// The clock of a program: that of Postgres, or in a sandbox its test clock. A sandbox makes the database its own; with
/// `adopts` also one that has bookings already.
///
/// # Errors
/// [`ClockError`].
pub async fn start_clock(
    conn: &mut PgConnection,
    pool: &PgPool,
    sandbox: bool,
    adopts: bool,
) -> Result<SharedClock, ClockError> {
    let ahead = ahead(conn).await?;
    match ahead {
        Some(_) if !sandbox => return Err(ClockError::IsSandbox),
        None if sandbox => {
            let made = sqlx::query!(
                "INSERT INTO sandbox_clock (single)
                 SELECT true WHERE $1 OR NOT EXISTS (SELECT FROM bookings) ON CONFLICT DO NOTHING",
                adopts
            );
            // None is made where another process was first, too.
            if made.execute(&mut *conn).await?.rows_affected() == 0 && self::ahead(conn).await?.is_none() {
                return Err(ClockError::InUse);
            }
        }
        _ => {}
    }
    Ok(follow_clock(conn, pool).await?)
}

/// The clock that the database's programs go by, whether it is a sandbox's or not: for commands.
///
/// # Errors
/// Those of the database.
pub async fn follow_clock(conn: &mut PgConnection, pool: &PgPool) -> Result<SharedClock, sqlx::Error> {
    let server = ServerClock::start_on(conn, pool).await?;
    let Some(ahead_us) = ahead(conn).await? else { return Ok(server) };
    let clock = Arc::new(SandboxClock { server, ahead_us: AtomicI64::new(ahead_us) });
    let (weak, pool) = (Arc::downgrade(&clock), pool.clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(FOLLOW_INTERVAL).await;
            let Some(clock) = weak.upgrade() else { return };
            let reading = async { ahead(&mut *pool.acquire().await?).await };
            // While the database does not answer, the clock goes on as it is.
            if let Ok(Ok(Some(ahead_us))) = tokio::time::timeout(READ_TIMEOUT, reading).await {
                clock.ahead_us.store(ahead_us, Ordering::SeqCst);
            }
        }
    });
    Ok(clock)
}

/// By how many microseconds the test clock is ahead; `None` in a database that is no sandbox's.
async fn ahead(conn: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!("SELECT ahead_us FROM sandbox_clock").fetch_optional(conn).await
}
