use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Clock as _, Payload as _, ServerClock};
use tokio::time::{Instant, sleep};

use super::due::{self, Due};
use crate::notifications::SendNotification;
use crate::webhooks::DeliverWebhook;
use crate::{Core, Error, Result};

/// Between looks at what is still due.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How long this process may take to follow a clock that was moved.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(5);

/// The time of the test clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// What it shows.
    pub now: DateTime<Utc>,
    /// By how much it is ahead of the clock of Postgres.
    pub ahead: TimeDelta,
    /// What is due and has not run.
    pub due: Due,
    /// When the next work falls due.
    pub next: Option<DateTime<Utc>>,
}

/// Reads the clock.
///
/// # Errors
/// [`Error::NotFound`] where there is no test clock; [`Error::Unavailable`].
pub async fn read(core: &Core) -> Result<Moved> {
    let mut conn = core.pool.acquire().await?;
    let ahead_us =
        sqlx::query_scalar!("SELECT ahead_us FROM sandbox_clock").fetch_optional(&mut *conn).await?;
    let ahead_us = ahead_us.ok_or(Error::NotFound("test clock"))?;
    let now = core.now();
    Ok(Moved {
        now,
        ahead: TimeDelta::microseconds(ahead_us),
        due: due::due(&mut conn, now).await?,
        next: due::next(&mut conn, now).await?,
    })
}

/// Moves the clock ahead to `to`, from one instant at which something falls due to the next, and waits at each until it has
/// run: so a reminder leaves at its own time, however far the clock is moved. Once `time_limit` has passed it stops where it
/// is: call it again to go on. Returns whether it reached `to` with nothing left due.
///
/// # Errors
/// [`Error::NotFound`] where there is no test clock; [`Error::Unavailable`].
pub async fn advance(core: &Core, to: DateTime<Utc>, time_limit: Duration) -> Result<(Moved, bool)> {
    let deadline = Instant::now() + time_limit;
    let arrived = loop {
        let now = core.now();
        if !settle(core, deadline).await? {
            break false;
        }
        if now >= to {
            break true;
        }
        let next = due::next(&mut *core.pool.acquire().await?, now).await?;
        set(core, next.map_or(to, |next| next.min(to))).await?;
    };
    Ok((read(core).await?, arrived))
}

/// Waits until all that is due has run; whether it has.
async fn settle(core: &Core, deadline: Instant) -> Result<bool> {
    loop {
        due::sweep(core).await?;
        let due = due::due(&mut *core.pool.acquire().await?, core.now()).await?;
        if due.is_nothing() {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        core.wake.wake(SendNotification::QUEUE);
        core.wake.wake(DeliverWebhook::QUEUE);
        sleep(LOOK_INTERVAL).await;
    }
}

/// Moves the clock to an instant, and waits until this process follows.
async fn set(core: &Core, at: DateTime<Utc>) -> Result<()> {
    let mut conn = core.pool.acquire().await?;
    let server = ServerClock::default();
    server.measure(&mut conn).await?;
    let ahead_us = (at - server.now()).num_microseconds().unwrap_or_default();
    // Never back, also if two move it at once.
    let moved = sqlx::query!("UPDATE sandbox_clock SET ahead_us = greatest(ahead_us, $1)", ahead_us)
        .execute(&mut *conn)
        .await?;
    if moved.rows_affected() != 1 {
        return Err(Error::NotFound("test clock"));
    }
    drop(conn);
    let deadline = Instant::now() + FOLLOWED_WITHIN;
    while core.now() < at {
        if Instant::now() >= deadline {
            return Err(Error::internal("moving the test clock", "this process does not follow it"));
        }
        sleep(LOOK_INTERVAL / 5).await;
    }
    Ok(())
}
