//! Moving a booking in place.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::{in_time, locked, next_status};
use super::event::{Change, write_booking};
use super::insert::{capacity, minutes};
use super::mails::{self, News};
use super::place::{self, Found, first_place};
use super::read::visible;
use super::row::Row;
use super::{Action, Booking, BookingStatus, Move, WantedSlot, calendars};
use crate::calendar::Limits;
use crate::pool::again_if_cut;
use crate::slots::{self, Ask};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ExpectedRev};
use crate::{Core, Error, Result, staff};

/// How often a booking that moves to other staff meanwhile is followed.
const FOLLOWS: usize = 3;

/// Moves a booking: the same id, one revision on. Start and staff may change; the service and its price stay as
/// promised, its other rules are those of now. By a customer of a service that requires confirmation it is pending
/// again. A move to where it is already changes nothing.
///
/// Errors: those of [`super::cancel`] and [`super::create`].
pub async fn reschedule(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    to: Move,
) -> Result<Booking> {
    for _ in 0..FOLLOWS {
        let booking = again_if_cut(|| visible(core, actor, id)).await?;
        if to.overriding && !actor.is_staff() {
            return Err(Error::Forbidden);
        }
        let from = booking.staff_id;
        let slot = WantedSlot {
            service_id: booking.service_id,
            staff_id: Some(to.staff_id.unwrap_or(from)),
            start: to.start,
        };
        let turns = calendars::turns(core, &[from, to.staff_id.unwrap_or(from)]).await?;
        let work = Reschedule { actor: *actor, id, from, expected, to: to.clone() };
        match write(core, Arc::new(work), turns).await {
            Ok(Some(booking)) => return Ok(booking),
            Ok(None) => {}
            Err(error) => return Err(place::with_alternatives(core, error, &slot, Some(id)).await),
        }
    }
    Err(Error::Overloaded { retry_after: std::time::Duration::from_secs(1) })
}

struct Reschedule {
    actor: Actor,
    id: Uuid,
    /// Whose calendar it is in, as far as is known before the lock.
    from: Uuid,
    expected: ExpectedRev,
    to: Move,
}

impl Write for Reschedule {
    /// None: the booking has moved to other staff, whose calendar is not locked.
    type Output = Option<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        let staff_id = self.to.staff_id.unwrap_or(self.from);
        staff::lock(tx, &[self.from, staff_id]).await?;
        let row = locked(tx, &self.actor, self.id).await?;
        if row.staff_id != self.from {
            return Ok(Outcome::Unchanged(None));
        }
        let status = next_status(&row, &self.actor, self.expected, Action::Reschedule, now)?;
        let terms = slots::terms(tx, row.service_id, Some(staff_id)).await?;
        in_time(&row, &self.actor, terms.reschedule_notice_min, now)?;
        if (row.start, row.staff_id) == (self.to.start, staff_id) {
            return row.seen_by(&self.actor).map(|booking| Outcome::Unchanged(Some(booking)));
        }
        calendars::expire_dead_holds(tx, now, &[staff_id]).await?;
        let limits = if self.to.overriding { Limits::Overridden } else { Limits::Enforced };
        let ask = Ask { start: self.to.start, limits, exclude: Some(row.id) };
        let (staff_id, place) = first_place(slots::ask(tx, now, &terms, &[staff_id], ask).await?)?;
        let found = Found { terms, staff_id, place };
        let asks_again = found.terms.requires_confirmation && !self.actor.is_staff();
        let status = if asks_again { BookingStatus::Pending } else { status };
        let change = Change {
            name: "rescheduled",
            actor: &self.actor,
            overridden: self.to.overriding,
            from: Some((row.start, row.staff_id)),
            to: Some((found.place.during.start(), staff_id)),
        };
        let news = News::Moved { from: row.staff_id };
        let row = put(tx, now, row, &found, status, &change).await?;
        mails::plan(tx, now, &row, news, &found.terms.reminders).await?;
        row.seen_by(&self.actor).map(|booking| Outcome::Changed(Some(booking), mails::QUEUES))
    }
}

/// Puts the booking in its new place; its seat as in [`super::insert`].
async fn put(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: Row,
    found: &Found,
    status: BookingStatus,
    change: &Change<'_>,
) -> Result<Row> {
    let Found { terms, staff_id, place } = found;
    write_booking!(
        "UPDATE bookings
         SET staff_id = $9, status = $10, during = tstzrange($11, $12), blocked = tstzrange($13, $14), class_id = $15,
             seat_no = CASE WHEN $16 = 1 THEN 1 ELSE coalesce((
                 SELECT min(seat) FROM generate_series(1, $16::integer) AS seat
                 WHERE seat <> ALL (ARRAY(
                     SELECT other.seat_no FROM bookings AS other
                     WHERE (other.class_id, other.seat_no) BETWEEN ($15, 1) AND ($15, $16) AND other.blocks
                       AND other.id <> $7))), $16) END,
             zone = $17, local_start = $18, duration_min = $19, rev = rev + 1, updated_at = $6
         WHERE id = $7 AND rev = $8",
        now,
        change,
        row.id,
        row.rev.0,
        staff_id,
        status as BookingStatus,
        place.during.start(),
        place.during.end(),
        place.blocked.start(),
        place.blocked.end(),
        place.class_id.unwrap_or(row.id),
        capacity(found),
        terms.zone.name(),
        terms.zone.wall(place.during.start()),
        minutes(found),
    )
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| Error::internal("moving a booking", "it changed under its lock"))
}
