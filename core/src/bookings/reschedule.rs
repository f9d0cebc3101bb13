//! Moving a booking to another start or another member of staff.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::alternatives::with_alternatives;
use super::audit::{BookingChange, write_booking};
use super::change_status::{locked, next_status, require_notice};
use super::place::{Placement, first_place};
use super::read::visible;
use super::row::Row;
use super::{Booking, BookingStatus, Move, RequestedSlot, calendars, mails, resources};
use crate::calendar::Limits;
use crate::pool::again_if_cut;
use crate::slots::{self, ServiceTerms, StartQuery};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, BookingAction, ChangeKind, EventDetails, ExpectedRev, ParseError, Position};
use crate::{Core, Error, Result, staff};

/// Moves a booking: the same id, the next revision. Start and staff may change. Name, duration, price and buffers stay as
/// promised, unless staff take the current ones with `current_terms`; notice, horizon, grid and reminders are the current
/// ones. A seat in a class that exists takes the duration of that class. By a customer of a service that requires
/// confirmation the booking becomes pending again, and the former position is given up. A move to the position it already
/// has changes nothing.
///
/// Errors: those of [`super::cancel`] and [`super::create`].
pub async fn reschedule(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    to: Move,
) -> Result<Booking> {
    let to = &to;
    calendars::follow(core, id, || async move {
        let booking = again_if_cut(|| visible(core, actor, id)).await?.booking;
        if (to.overriding || to.current_terms) && !actor.is_staff() {
            return Err(Error::StaffOnly("override and current_terms are for staff."));
        }
        to.message.authorize(actor)?;
        let from = booking.staff.id;
        let slot = RequestedSlot {
            service_id: booking.service.id,
            staff_id: Some(to.staff_id.unwrap_or(from)),
            start: to.start,
            seats: booking.seats.unsigned_abs(),
        };
        let guards = calendars::lock_in_process(core, &[from, to.staff_id.unwrap_or(from)]).await?;
        let work = Reschedule { actor: *actor, id, from, expected, to: to.clone() };
        match write(core, Arc::new(work), guards).await {
            Err(error) => Err(with_alternatives(core, error, &slot, Some(id)).await),
            done => done,
        }
    })
    .await
}

/// Whether [`reschedule`] without an override would accept the place now, for forms. Locks and changes nothing.
///
/// # Errors
/// Those of [`reschedule`] about the place.
pub async fn check_place(core: &Core, booking: &Booking, to: Position) -> Result<()> {
    let (id, service_id, seats) = (booking.id, booking.service.id, booking.seats.unsigned_abs());
    let checked = again_if_cut(|| async {
        let db = &mut *core.pool.acquire().await?;
        let terms = slots::terms_of_booking(db, id, service_id, Some(to.staff_id)).await?;
        let ask = StartQuery { start: to.start, seats, limits: Limits::Enforced, exclude: Some(id) };
        first_place(slots::check_start(db, core.now(), &terms, &[to.staff_id], ask).await?)
    });
    let slot = RequestedSlot { service_id, staff_id: Some(to.staff_id), start: to.start, seats };
    match checked.await {
        Ok(_) => Ok(()),
        Err(error) => Err(with_alternatives(core, error, &slot, Some(id)).await),
    }
}

struct Reschedule {
    actor: Actor,
    id: Uuid,
    /// The member of staff as read before the lock.
    from: Uuid,
    expected: ExpectedRev,
    to: Move,
}

impl Write for Reschedule {
    /// None: the booking was moved to other staff, whose calendar is not locked.
    type Output = Option<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        let staff_id = self.to.staff_id.unwrap_or(self.from);
        staff::lock(tx, &[self.from, staff_id]).await?;
        self.lock_resources(tx, now, staff_id).await?;
        let row = locked(tx, &self.actor, self.id).await?;
        if row.booking.staff.id != self.from {
            return Ok(Outcome::Unchanged(None));
        }
        let status = next_status(&row, &self.actor, self.expected, BookingAction::Reschedule, now)?;
        let terms = self.terms(tx, &row, staff_id).await?;
        require_notice(&row, &self.actor, terms.reschedule_notice_min, now)?;
        let from = Position { start: row.booking.start.to_utc(), staff_id: self.from };
        if from == (Position { start: self.to.start, staff_id }) && !self.to.current_terms {
            return Ok(Outcome::Unchanged(Some(row.seen_by(&self.actor))));
        }
        calendars::expire_dead_holds(tx, now, &[staff_id]).await?;
        let limits = if self.to.overriding { Limits::Overridden } else { Limits::Enforced };
        let seats = row.booking.seats.unsigned_abs();
        let ask = StartQuery { start: self.to.start, seats, limits, exclude: Some(row.booking.id) };
        let (staff_id, place) = first_place(slots::check_start(tx, now, &terms, &[staff_id], ask).await?)?;
        let placement = Placement { terms: &terms, staff_id, place, seats };
        let asks_again = placement.terms.requires_confirmation && !self.actor.is_staff();
        let status = if asks_again { BookingStatus::Pending } else { status };
        let change = BookingChange {
            kind: ChangeKind::Rescheduled,
            actor: &self.actor,
            overridden: self.to.overriding,
            details: EventDetails { from: Some(from), ..placement.details().with_message(&self.to.message) },
        };
        resources::release(tx, &[row.booking.id]).await?;
        let row = put(tx, now, &row, &placement, status, &change).await?;
        resources::allocate(tx, [(row.booking.id, &placement)].into_iter()).await?;
        mails::plan(tx, now, &row, &change, &placement.terms.reminders).await?;
        Ok(Outcome::Changed(Some(row.seen_by(&self.actor)), mails::QUEUES))
    }
}

impl Reschedule {
    async fn lock_resources(&self, tx: &mut PgConnection, now: DateTime<Utc>, staff_id: Uuid) -> Result<()> {
        let service_ids = sqlx::query_scalar!("SELECT service_id FROM bookings WHERE id = $1", self.id)
            .fetch_all(&mut *tx)
            .await?;
        let wanted =
            resources::ResourceChange { services: &service_ids, bookings: &[self.id], staff: &[staff_id] };
        resources::lock(tx, now, wanted, true).await.map(drop)
    }

    async fn terms(&self, tx: &mut PgConnection, row: &Row, staff_id: Uuid) -> Result<ServiceTerms> {
        let service_id = row.booking.service.id;
        let terms = if self.to.current_terms {
            slots::terms(tx, service_id, Some(staff_id)).await
        } else {
            slots::terms_of_booking(tx, row.booking.id, service_id, Some(staff_id)).await
        };
        match terms {
            // The request names no member of staff: this is the booking's own.
            Err(Error::NotFound("staff")) if self.to.staff_id.is_none() => Err(Error::Invalid {
                pointer: "/staff_id",
                error: ParseError::new(
                    "staff_unavailable",
                    "the booking's member of staff no longer performs this service: name another one",
                ),
            }),
            terms => terms,
        }
    }
}

/// Stores the new position; the seat is chosen as in [`super::insert`].
pub(super) async fn put(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: &Row,
    placement: &Placement<'_>,
    status: BookingStatus,
    change: &BookingChange<'_>,
) -> Result<Row> {
    let Placement { terms, staff_id, place, .. } = placement;
    let booking = &row.booking;
    write_booking!(
        "UPDATE bookings
         SET staff_id = $9, status = $10, during = tstzrange($11, $12), blocked = tstzrange($13, $14), class_id = $15,
             seat_no = CASE WHEN $16 = 1 THEN 1 ELSE lower(free_seats($15, $16, 0, seats, $7)) END,
             all_seats = CASE WHEN seats > 1 THEN free_seats($15, $16, 0, seats, $7) END,
             zone = $17, local_start = $18, duration_min = $19, service_name = $20, price_minor = $21, currency = $22,
             rev = rev + 1, updated_at = $6
         WHERE id = $7 AND rev = $8",
        now,
        change,
        booking.id,
        booking.rev.0,
        staff_id,
        status as BookingStatus,
        place.during.start(),
        place.during.end(),
        place.blocked.start(),
        place.blocked.end(),
        place.class_id.unwrap_or(booking.id),
        placement.capacity(),
        terms.zone.name(),
        terms.zone.wall(place.during.start()),
        placement.minutes(),
        terms.name,
        placement.price_minor(),
        terms.price.currency.as_str(),
    )
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| Error::internal("moving a booking", "it changed under its lock"))
}
