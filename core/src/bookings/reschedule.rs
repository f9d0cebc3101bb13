//! Moving a booking in place.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::{in_time, locked, next_status};
use super::event::{Change, record};
use super::insert::{capacity, minutes};
use super::mails::{self, News};
use super::place::{self, Found, first_place};
use super::read::visible;
use super::row::{self, Row};
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
        let before = (row.start, row.staff_id);
        let row = put(tx, now, row, &found, status).await?;
        let change = Change {
            name: "rescheduled",
            actor: &self.actor,
            overridden: self.to.overriding,
            from: Some(before),
        };
        record(tx, now, &row, &change).await?;
        mails::plan(tx, now, &row, News::Moved { from: before.1 }).await?;
        row.seen_by(&self.actor).map(|booking| Outcome::Changed(Some(booking), mails::QUEUES))
    }
}

/// Puts the booking in its new place.
async fn put(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: Row,
    found: &Found,
    status: BookingStatus,
) -> Result<Row> {
    let Found { terms, staff_id, place } = found;
    let moved = sqlx::query!(
        "UPDATE bookings
         SET staff_id = $3, status = $4, during = tstzrange($5, $6), blocked = tstzrange($7, $8), class_id = $9,
             seat_no = coalesce((SELECT min(seat) FROM generate_series(1, $10::integer) AS seat
                                 WHERE NOT EXISTS (SELECT FROM bookings AS other
                                                   WHERE other.class_id = $9 AND other.seat_no = seat
                                                     AND other.blocks AND other.id <> $1)), $10),
             zone = $11, local_start = $12, duration_min = $13, rev = rev + 1, updated_at = $14
         WHERE id = $1 AND rev = $2",
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
        now,
    )
    .execute(&mut *tx)
    .await?;
    if moved.rows_affected() != 1 {
        return Err(Error::internal("moving a booking", "it changed under its lock"));
    }
    row::find(tx, row.id).await?.ok_or(Error::NotFound("booking"))
}
