//! Changing a booking without moving it: notes, service, duration, member of staff, customer.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

use super::alternatives::with_alternatives;
use super::audit::{BookingChange, write_booking};
use super::change_status::{locked, next_status};
use super::place::{self, Placement, first_place};
use super::read::visible;
use super::row::Row;
use super::{Booking, BookingPatch, BookingStatus, RequestedSlot, calendars, mails, resources};
use crate::calendar::{Limits, Span};
use crate::notifications::plan::carry_over;
use crate::pool::again_if_cut;
use crate::slots::{self, ServiceTerms, StartQuery};
use crate::transaction::{Outcome, Write, write};
use crate::types::{
    Actor, BookingAction, ChangeKind, EventDetails, ExpectedRev, Note, ParseError, Position, Replaced,
};
use crate::{Core, Error, Result, customers, staff};

/// Changes a booking; only staff may. Its start stays: [`super::reschedule`] moves it. With another service, duration or
/// member of staff it gets the current terms as a whole, and its calendar is checked again for hours and other bookings. With
/// another number of seats alone it keeps the promised terms: the price of one seat, times the seats.
/// Another customer gets a confirmation, and the links of the former one become void. A note alone sends no mail.
///
/// Errors: [`Error::NotFound`] for the booking, the service, the member of staff or the customer; [`Error::Forbidden`];
/// [`Error::RevMismatch`]; [`Error::InvalidTransition`]; [`Error::SlotTaken`] with alternatives, [`Error::OutsideHours`],
/// [`Error::StartInPast`] for a start before today; [`Error::Invalid`]; [`Error::Overloaded`].
pub async fn update(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    patch: BookingPatch,
) -> Result<Booking> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let patch = &patch;
    calendars::follow(core, id, || async move {
        let booking = again_if_cut(|| visible(core, actor, id)).await?.booking;
        let from = booking.staff.id;
        let slot = RequestedSlot {
            service_id: patch.service_id.unwrap_or(booking.service.id),
            staff_id: Some(patch.staff_id.unwrap_or(from)),
            start: booking.start.to_utc(),
            seats: patch.seats.unwrap_or(booking.seats.unsigned_abs()),
        };
        let guards = calendars::lock_in_process(core, &[from, patch.staff_id.unwrap_or(from)]).await?;
        let work = Update { actor: *actor, id, from, expected, patch: patch.clone() };
        match write(core, Arc::new(work), guards).await {
            Err(error) => Err(with_alternatives(core, error, &slot, Some(id)).await),
            done => done,
        }
    })
    .await
}

struct Update {
    actor: Actor,
    id: Uuid,
    /// The member of staff as read before the lock.
    from: Uuid,
    expected: ExpectedRev,
    patch: BookingPatch,
}

impl Write for Update {
    /// None: the booking was moved to other staff, whose calendar is not locked.
    type Output = Option<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        let staff_id = self.patch.staff_id.unwrap_or(self.from);
        staff::lock(tx, &[self.from, staff_id]).await?;
        self.lock_resources(tx, now, staff_id).await?;
        if let Some(customer_id) = self.patch.customer_id
            && customers::find_on_file(tx, &[customer_id]).await?.is_empty()
        {
            return Err(Error::NotFound("customer"));
        }
        let row = locked(tx, &self.actor, self.id).await?;
        if row.booking.staff.id != self.from {
            return Ok(Outcome::Unchanged(None));
        }
        let Some(wanted) = self.wanted(&row, now)? else {
            return Ok(Outcome::Unchanged(Some(row.seen_by(&self.actor))));
        };
        let (row, change, terms) = if wanted.new_place() {
            let terms = self.terms(tx, &row.booking, &wanted, staff_id).await?;
            place::require_seats(wanted.seats, &terms)?;
            calendars::expire_dead_holds(tx, now, &[staff_id]).await?;
            let limits = if self.patch.overriding { Limits::Overridden } else { Limits::InPlace };
            let start = row.booking.start.to_utc();
            let ask = StartQuery { start, seats: wanted.seats, limits, exclude: Some(row.booking.id) };
            let (staff_id, place) =
                first_place(slots::check_start(tx, now, &terms, &[staff_id], ask).await?)?;
            let placement = Placement { terms: &terms, staff_id, place, seats: wanted.seats };
            let change = self.change(&row.booking, &wanted, Some(&placement));
            resources::release(tx, &[row.booking.id]).await?;
            let row = store(tx, now, &row, &wanted, Some(&placement), &change).await?;
            resources::allocate(tx, [(row.booking.id, &placement)].into_iter()).await?;
            (row, change, terms)
        } else {
            let terms = slots::terms(tx, row.booking.service.id, None).await?;
            let change = self.change(&row.booking, &wanted, None);
            (store(tx, now, &row, &wanted, None, &change).await?, change, terms)
        };
        if change.kind == ChangeKind::Noted {
            carry_over(tx, row.booking.id, row.booking.rev).await?;
        } else {
            mails::plan(tx, now, &row, &change, &terms.reminders).await?;
        }
        Ok(Outcome::Changed(Some(row.seen_by(&self.actor)), mails::QUEUES))
    }
}

/// The booking after the change.
struct Target {
    customer_note: Note,
    staff_note: Note,
    service_id: Uuid,
    customer_id: Option<Uuid>,
    /// Whether the customer is another one.
    new_customer: bool,
    /// Whether the current terms replace the promised ones.
    new_terms: bool,
    seats: u32,
    /// Whether it takes another number of seats.
    new_seats: bool,
}

impl Target {
    /// Whether the calendar is checked again.
    fn new_place(&self) -> bool {
        self.new_terms || self.new_seats
    }
}

impl Update {
    async fn lock_resources(&self, tx: &mut PgConnection, now: DateTime<Utc>, staff_id: Uuid) -> Result<()> {
        let current = sqlx::query_scalar!("SELECT service_id FROM bookings WHERE id = $1", self.id)
            .fetch_optional(&mut *tx)
            .await?;
        let service_ids: Vec<Uuid> = current.into_iter().chain(self.patch.service_id).collect();
        let wanted =
            resources::ResourceChange { services: &service_ids, bookings: &[self.id], staff: &[staff_id] };
        resources::lock(tx, now, wanted, true).await.map(drop)
    }

    /// The booking after the patch; none: nothing changes.
    ///
    /// # Errors
    /// `RevMismatch`, `InvalidTransition`.
    fn wanted(&self, row: &Row, now: DateTime<Utc>) -> Result<Option<Target>> {
        let (patch, booking) = (&self.patch, &row.booking);
        let former = booking.customer.as_ref().map(|customer| customer.id);
        let staff_note = booking.staff_note.clone().unwrap_or_else(Note::empty);
        let wanted = Target {
            customer_note: patch.customer_note.clone().unwrap_or_else(|| booking.customer_note.clone()),
            staff_note: patch.staff_note.clone().unwrap_or_else(|| staff_note.clone()),
            service_id: patch.service_id.unwrap_or(booking.service.id),
            customer_id: patch.customer_id.or(former),
            new_customer: patch.customer_id.is_some_and(|id| Some(id) != former),
            new_terms: patch.service_id.is_some_and(|id| id != booking.service.id)
                || patch.staff_id.is_some_and(|id| id != booking.staff.id)
                || patch.duration_min.is_some_and(|minutes| i64::from(minutes) != minutes_of(booking)),
            seats: patch.seats.unwrap_or(booking.seats.unsigned_abs()),
            new_seats: patch.seats.is_some_and(|seats| seats != booking.seats.unsigned_abs()),
        };
        if !self.expected.matches(booking.rev) {
            return Err(Error::RevMismatch { current: booking.rev });
        }
        if wanted.new_place() || wanted.new_customer || booking.status == BookingStatus::Held {
            next_status(row, &self.actor, self.expected, BookingAction::Update, now)?;
        }
        let same_notes = wanted.customer_note == booking.customer_note && wanted.staff_note == staff_note;
        let changes = wanted.new_place() || wanted.new_customer || !same_notes;
        Ok(changes.then_some(wanted))
    }

    /// The service's current terms, with the duration of the patch; the promised ones if only the seats change.
    async fn terms(
        &self,
        tx: &mut PgConnection,
        booking: &Booking,
        wanted: &Target,
        staff_id: Uuid,
    ) -> Result<ServiceTerms> {
        let service_id = wanted.service_id;
        let terms = if wanted.new_terms {
            slots::terms(tx, service_id, Some(staff_id)).await
        } else {
            slots::terms_of_booking(tx, booking.id, service_id, Some(staff_id)).await
        };
        let mut terms = match terms {
            // The request names no member of staff: this is the booking's own.
            Err(Error::NotFound("staff")) if self.patch.staff_id.is_none() => {
                let message = "the booking's member of staff does not perform this service: name another one";
                let error = ParseError::new("staff_unavailable", message);
                return Err(Error::Invalid { pointer: "/staff_id", error });
            }
            terms => terms?,
        };
        if !terms.active && service_id != booking.service.id {
            return Err(Error::NotFound("service"));
        }
        if let Some(minutes) = self.patch.duration_min {
            if terms.rules.capacity > 1 {
                let error = ParseError::new("class", "all seats of a class have its duration");
                return Err(Error::Invalid { pointer: "/duration_min", error });
            }
            terms.rules.duration_min = minutes;
            for own in &mut terms.staff_terms {
                own.duration_min = None;
            }
        }
        Ok(terms)
    }

    fn change(
        &self,
        booking: &Booking,
        wanted: &Target,
        placement: Option<&Placement<'_>>,
    ) -> BookingChange<'_> {
        let noted = !wanted.new_place() && !wanted.new_customer;
        let kind = if noted { ChangeKind::Noted } else { ChangeKind::Updated };
        let former = Position { start: booking.start.to_utc(), staff_id: self.from };
        let customer = booking.customer.as_ref().map(|customer| customer.id).zip(wanted.customer_id);
        let details = EventDetails {
            from: placement.filter(|placement| placement.staff_id != self.from).map(|_| former),
            service: (wanted.service_id != booking.service.id)
                .then_some(Replaced { from: booking.service.id, to: wanted.service_id }),
            customer: customer.filter(|_| wanted.new_customer).map(|(from, to)| Replaced { from, to }),
            ..placement.map(Placement::details).unwrap_or_default()
        };
        let seats = if wanted.new_seats { Some(wanted.seats.cast_signed()) } else { details.seats };
        let details = EventDetails { seats, ..details };
        let details = if noted { details } else { details.with_message(&self.patch.message) };
        let overridden = self.patch.overriding && placement.is_some();
        BookingChange { kind, actor: &self.actor, overridden, details }
    }
}

fn minutes_of(booking: &Booking) -> i64 {
    (booking.end - booking.start).num_minutes()
}

/// Stores the change; a new seat is chosen as in [`super::insert`].
async fn store(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: &Row,
    wanted: &Target,
    placement: Option<&Placement<'_>>,
    change: &BookingChange<'_>,
) -> Result<Row> {
    let booking = &row.booking;
    let range = |span: Span| PgRange::from(span.start()..span.end());
    let during = placement.map(|placement| range(placement.place.during));
    let blocked = placement.map(|placement| range(placement.place.blocked));
    let class_id = placement.map(|placement| placement.place.class_id.unwrap_or(booking.id));
    let local_start = placement.map(|placement| placement.terms.zone.wall(placement.place.during.start()));
    write_booking!(
        "UPDATE bookings
         SET customer_note = $9, staff_note = $10, customer_id = $11,
             contact_name = CASE WHEN $12 THEN NULL ELSE contact_name END,
             contact_phone = CASE WHEN $12 THEN NULL ELSE contact_phone END,
             for_whom = CASE WHEN $12 THEN NULL ELSE for_whom END,
             link_epoch = link_epoch + CASE WHEN $12 THEN 1 ELSE 0 END,
             service_id = $13, staff_id = coalesce($14, staff_id), during = coalesce($15, during),
             blocked = coalesce($16, blocked), class_id = coalesce($17, class_id),
             seat_no = CASE WHEN $17::uuid IS NULL OR ($17 = class_id AND $25 = seats) THEN seat_no WHEN $18 = 1 THEN 1
                            ELSE lower(free_seats($17, $18, 0, $25, $7)) END,
             all_seats = CASE WHEN $17::uuid IS NULL OR ($17 = class_id AND $25 = seats) THEN all_seats
                              WHEN $25 > 1 THEN free_seats($17, $18, 0, $25, $7) END,
             seats = $25,
             zone = coalesce($19, zone), local_start = coalesce($20, local_start),
             duration_min = coalesce($21, duration_min), service_name = coalesce($22, service_name),
             price_minor = coalesce($23, price_minor), currency = coalesce($24, currency),
             rev = rev + 1, updated_at = $6
         WHERE id = $7 AND rev = $8",
        now,
        change,
        booking.id,
        booking.rev.0,
        wanted.customer_note.as_str(),
        wanted.staff_note.as_str(),
        wanted.customer_id,
        wanted.new_customer,
        wanted.service_id,
        placement.map(|placement| placement.staff_id),
        during,
        blocked,
        class_id,
        placement.map_or(1, Placement::capacity),
        placement.map(|placement| placement.terms.zone.name()),
        local_start,
        placement.map(Placement::minutes),
        placement.map(|placement| placement.terms.name.as_str()),
        placement.map(Placement::price_minor),
        placement.map(|placement| placement.terms.price.currency.as_str()),
        wanted.seats.cast_signed(),
    )
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| Error::internal("changing a booking", "it changed under its lock"))
}
