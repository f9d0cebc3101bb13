//! Cancelling and moving several bookings with one message, such as those of a member of staff who is ill.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Booking, ChangeKind, Move, StaffMessage, cancel_with, events, get, reschedule};
use crate::types::{Actor, ExpectedRev, Rev};
use crate::{Core, Error, Result};

/// One of several changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The booking.
    pub id: Uuid,
    /// The revision that was read.
    pub rev: Rev,
    /// The change.
    pub action: BatchAction,
}

/// A change to one booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchAction {
    /// Cancel it.
    Cancel,
    /// Move it, under the promised terms.
    Move {
        /// New start.
        start: DateTime<Utc>,
        /// New member of staff; none: the same as before.
        staff_id: Option<Uuid>,
        /// Bypass grid, hours, notice and horizon, never another booking.
        overriding: bool,
    },
}

/// Makes each change in its own transaction, in this order, and returns the results in the same order; for staff. A change
/// that the same actor made before is not made again: repeating the request is safe.
///
/// # Errors
/// [`Error::Forbidden`]; of one change those of [`cancel_with`] and [`reschedule`].
pub async fn change_many(
    core: &Core,
    actor: &Actor,
    changes: &[Change],
    message: &StaffMessage,
) -> Result<Vec<Result<Booking>>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let mut results = Vec::with_capacity(changes.len());
    let mut is_available = true;
    for change in changes {
        let result = if is_available {
            apply(core, actor, change, message).await
        } else {
            // Without a database the others need not wait for it one after the other.
            Err(Error::Overloaded { retry_after: Duration::from_secs(1) })
        };
        is_available &= !matches!(result, Err(Error::Unavailable(_)));
        results.push(result);
    }
    Ok(results)
}

async fn apply(core: &Core, actor: &Actor, change: &Change, message: &StaffMessage) -> Result<Booking> {
    let expected = ExpectedRev::Exactly(change.rev);
    let BatchAction::Move { start, staff_id, overriding } = change.action else {
        return cancel_with(core, actor, change.id, expected, message.clone()).await;
    };
    let to = Move { overriding, message: message.clone(), ..Move::to(start, staff_id) };
    match reschedule(core, actor, change.id, expected, to).await {
        Err(Error::RevMismatch { current }) => match done_before(core, actor, change, current).await? {
            Some(booking) => Ok(booking),
            None => Err(Error::RevMismatch { current }),
        },
        done => done,
    }
}

/// The booking, if its current revision is this move by this actor.
async fn done_before(core: &Core, actor: &Actor, change: &Change, current: Rev) -> Result<Option<Booking>> {
    let BatchAction::Move { start, staff_id, .. } = change.action else { return Ok(None) };
    let booking = get(core, actor, change.id).await?;
    let is_there = booking.rev == current
        && current.0 == change.rev.0 + 1
        && booking.start.to_utc() == start
        && staff_id.is_none_or(|id| id == booking.staff.id);
    if !is_there {
        return Ok(None);
    }
    let last = events(core, actor, change.id).await?.pop();
    let is_ours = last
        .is_some_and(|event| event.change == ChangeKind::Rescheduled && event.actor_id == actor.caller_id());
    Ok(is_ours.then_some(booking))
}
