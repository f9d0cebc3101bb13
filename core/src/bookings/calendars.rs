//! The lock of a calendar is its staff row ([`crate::staff::lock`]). It comes before the lock of any booking, and several are taken in order of
//! their ids; whoever wants one waits its turn in this process first, where waiting costs no connection.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::turns::Turn;
use crate::types::ActorKind;
use crate::{Core, Error, Result};

/// How long a write waits for its turn in this process.
const PATIENCE: Duration = Duration::from_secs(5);
/// When those sent away are to come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Waits for the turn at each of these calendars.
pub(super) async fn turns(core: &Core, staff_ids: &[Uuid]) -> Result<Vec<Turn<Uuid>>> {
    let mut sorted = staff_ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut turns = Vec::with_capacity(sorted.len());
    for id in sorted {
        let turn = core.calendars.take(id, PATIENCE).await;
        turns.push(turn.map_err(|_| Error::Overloaded { retry_after: RETRY_AFTER })?);
    }
    Ok(turns)
}

/// Locks calendars of which one is going to change: the one chosen is then given to
/// [`crate::staff::lock`], which does not wait.
pub(super) async fn lock_candidates(tx: &mut PgConnection, staff_ids: &[Uuid]) -> Result<()> {
    sqlx::query!("SELECT id FROM staff WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", staff_ids)
        .fetch_all(tx)
        .await?;
    Ok(())
}

/// Ends holds in these calendars that have run out; returns how many. The calendars are to be locked.
pub(super) async fn expire_dead_holds(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    staff_ids: &[Uuid],
) -> Result<u64> {
    let ended = sqlx::query!(
        "WITH dead AS (
             UPDATE bookings SET status = 'expired', rev = rev + 1, updated_at = $1
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
