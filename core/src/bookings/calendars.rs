//! Waiting for calendars. The lock of a calendar is its staff row ([`crate::staff::lock`]): taken before the lock of any
//! booking, several in the order of their ids. Writers of one calendar first wait in this process, which costs no
//! connection.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::keyed_mutex::KeyedMutexGuard;
use crate::types::ActorKind;
use crate::{Core, Error, Result};

/// How long a write waits in this process for a calendar.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// `Retry-After` of the refusal.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Runs `attempt` until it finds the booking with the member of staff it has locked. A booking can be moved to other staff
/// between reading it and locking the calendar. Changes of one booking are serialised in this process, in order of arrival, so
/// that none is overtaken forever; only another process can move it meanwhile.
///
/// # Errors
/// Those of `attempt`; [`Error::Overloaded`] when the wait exceeds [`WAIT_TIMEOUT`], or when other processes kept moving the
/// booking for that time.
pub(super) async fn follow<T, F: Future<Output = Result<Option<T>>>>(
    core: &Core,
    booking_id: Uuid,
    attempt: impl Fn() -> F,
) -> Result<T> {
    // Before any calendar: the order of all locks is booking (in this process), staff, booking (in the database).
    let _guards = lock_in_process(core, &[booking_id]).await?;
    let found = tokio::time::timeout(WAIT_TIMEOUT, async {
        loop {
            if let Some(done) = attempt().await? {
                return Ok(done);
            }
        }
    });
    found.await.unwrap_or(Err(Error::Overloaded { retry_after: RETRY_AFTER }))
}

/// Waits in this process for each of these calendars (or one booking), in the order of their ids.
pub(super) async fn lock_in_process(core: &Core, ids: &[Uuid]) -> Result<Vec<KeyedMutexGuard<Uuid>>> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut guards = Vec::with_capacity(sorted.len());
    for id in sorted {
        let guard = core.calendars.lock(id, WAIT_TIMEOUT).await;
        guards.push(guard.map_err(|_| Error::Overloaded { retry_after: RETRY_AFTER })?);
    }
    Ok(guards)
}

/// Expires the holds in these locked calendars that have expired; returns how many.
pub(super) async fn expire_dead_holds(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    staff_ids: &[Uuid],
) -> Result<u64> {
    let ended = sqlx::query!(
        "WITH dead AS (
             UPDATE bookings SET status = 'expired', held_by = NULL, rev = rev + 1, updated_at = $1
             WHERE staff_id = ANY($2) AND status = 'held' AND hold_expires_at <= $1
             RETURNING id, rev, status
         )
         INSERT INTO booking_events (booking_id, rev, status, change, actor, at)
         SELECT id, rev, status, 'expired', $3, $1 FROM dead",
        now,
        staff_ids,
        ActorKind::System as ActorKind,
    )
    .execute(tx)
    .await?;
    Ok(ended.rows_affected())
}

/// Gives up these holds, whose calendars and rows are locked.
pub(super) async fn give_up_holds(tx: &mut PgConnection, now: DateTime<Utc>, ids: &[Uuid]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "WITH given_up AS (
             UPDATE bookings SET status = 'expired', held_by = NULL, rev = rev + 1, updated_at = $1
             WHERE id = ANY($2) AND status = 'held'
             RETURNING id, rev, status
         )
         INSERT INTO booking_events (booking_id, rev, status, change, actor, at)
         SELECT id, rev, status, 'expired', $3, $1 FROM given_up",
        now,
        ids,
        ActorKind::System as ActorKind,
    )
    .execute(tx)
    .await?;
    Ok(())
}
