//! Leading a booking from one status to the next.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::event::{Change, write_booking};
use super::mails::{self, News};
use super::read::visible;
use super::row::{self, Row};
use super::{Action, Booking, BookingStatus, calendars};
use crate::pool::again_if_cut;
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ExpectedRev};
use crate::{Core, Error, Result, slots, staff};

/// How often a booking that moves to other staff meanwhile is followed.
const FOLLOWS: usize = 3;

/// Does `action`, and answers the booking after it.
pub(super) async fn change(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    action: Action,
) -> Result<Booking> {
    for _ in 0..FOLLOWS {
        let staff_id = again_if_cut(|| visible(core, actor, id)).await?.staff_id;
        if action.is_for_staff() && !actor.is_staff() {
            return Err(Error::Forbidden);
        }
        let turns = calendars::turns(core, &[staff_id]).await?;
        let work = ChangeStatus { actor: *actor, id, staff_id, expected, action };
        if let Some(booking) = write(core, Arc::new(work), turns).await? {
            return Ok(booking);
        }
    }
    Err(Error::Overloaded { retry_after: std::time::Duration::from_secs(1) })
}

struct ChangeStatus {
    actor: Actor,
    id: Uuid,
    staff_id: Uuid,
    expected: ExpectedRev,
    action: Action,
}

impl Write for ChangeStatus {
    /// None: the booking has moved to other staff, whose calendar is not locked.
    type Output = Option<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        staff::lock(tx, &[self.staff_id]).await?;
        let row = locked(tx, &self.actor, self.id).await?;
        if row.staff_id != self.staff_id {
            return Ok(Outcome::Unchanged(None));
        }
        if self.action == Action::Cancel && row.status == BookingStatus::Cancelled {
            return row.seen_by(&self.actor).map(|booking| Outcome::Unchanged(Some(booking)));
        }
        let to = next_status(&row, &self.actor, self.expected, self.action, now)?;
        let reminders = match self.action {
            Action::Cancel => {
                let terms = slots::terms(tx, row.service_id, None).await?;
                in_time(&row, &self.actor, terms.cancel_notice_min, now)?;
                Vec::new()
            }
            Action::Confirm => slots::terms(tx, row.service_id, None).await?.reminders,
            _ => Vec::new(),
        };
        let (name, news) = told(self.action, self.staff_id);
        let row = write_booking!(
            "UPDATE bookings SET status = $9, rev = rev + 1, updated_at = $6 WHERE id = $7 AND rev = $8",
            now,
            Change::in_place(name, &self.actor),
            row.id,
            row.rev.0,
            to as BookingStatus,
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| Error::internal("changing a status", "the booking changed under its lock"))?;
        mails::plan(tx, now, &row, news, &reminders).await?;
        row.seen_by(&self.actor).map(|booking| Outcome::Changed(Some(booking), mails::QUEUES))
    }
}

/// How a change is called in the audit trail, and what mails it owes.
fn told(action: Action, from: Uuid) -> (&'static str, News) {
    match action {
        Action::Confirm => ("confirmed", News::Confirmed),
        Action::Cancel => ("cancelled", News::Cancelled),
        Action::Decline => ("declined", News::Declined),
        Action::Complete => ("completed", News::None),
        Action::NoShow => ("no_show", News::None),
        Action::Expire => ("expired", News::Expired),
        Action::Book => ("booked", News::Made),
        Action::Reschedule => ("rescheduled", News::Moved { from }),
    }
}

/// The booking under its lock, if the actor may see it.
pub(super) async fn locked(tx: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<Row> {
    row::lock(tx, id).await?.filter(|row| row.is_visible_to(actor)).ok_or(Error::NotFound("booking"))
}

/// Where the action leads, if the caller knows the booking as it is and its status allows it.
pub(super) fn next_status(
    row: &Row,
    actor: &Actor,
    expected: ExpectedRev,
    action: Action,
    now: DateTime<Utc>,
) -> Result<BookingStatus> {
    if !expected.matches(row.rev) {
        return Err(Error::RevMismatch { current: row.rev });
    }
    row.standing().after(action, now).and_then(|to| to.first().copied()).ok_or_else(|| {
        Error::InvalidTransition { from: row.status, allowed: row.standing().allowed(actor, now) }
    })
}

/// Customers change a booking only until so many minutes before its start, inclusive; staff at any time.
pub(super) fn in_time(row: &Row, actor: &Actor, notice_min: u32, now: DateTime<Utc>) -> Result<()> {
    let late = row.start - now < TimeDelta::minutes(i64::from(notice_min));
    if late && !actor.is_staff() { Err(Error::NoticePassed) } else { Ok(()) }
}
