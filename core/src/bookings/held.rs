//! Booking the places of holds.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::BookingChange;
use super::place::require_fitting;
use super::row::{self, Row, query_bookings};
use super::{Booking, BookingStatus, NewBooking};
use crate::calendar::Limits;
use crate::customers::{Booked, Contact};
use crate::types::{Actor, ActorKind, BookingAction, ChangeKind, EventDetails, PersonName, Phone};
use crate::{Error, Result, hours};

/// A hold to be booked.
pub(super) struct RequestedHold<'a> {
    pub id: Uuid,
    /// The members of staff whose calendars are locked for it.
    pub performers: &'a [Uuid],
    pub limits: Limits,
}

/// A hold that can be booked. Its row is locked.
pub(super) struct Hold(Box<Booking>);

impl Hold {
    /// The service that was held.
    pub(super) fn service_id(&self) -> Uuid {
        self.0.service.id
    }
}

/// Locks the holds and checks that each can be booked and still fits the calendar. The holds are distinct; the results are
/// in their order.
///
/// # Errors
/// Per hold `HoldExpired` and those of [`require_fitting`]; as a whole those of the database.
pub(super) async fn check(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    wanted: &[RequestedHold<'_>],
) -> Result<Vec<Result<Hold>>> {
    let ids: Vec<Uuid> = wanted.iter().map(|hold| hold.id).collect();
    let mut rows: HashMap<Uuid, Row> =
        row::lock_many(tx, &ids).await?.into_iter().map(|row| (row.booking.id, row)).collect();
    let is_usable = |row: &Row, performers: &[Uuid]| {
        row.status_at().after(BookingAction::Book, now).is_some()
            && row.booking.hold_expires_at.is_some_and(|end| end > now)
            && performers.contains(&row.booking.staff.id)
    };
    let holds: Vec<Option<Booking>> = wanted
        .iter()
        .map(|hold| {
            rows.remove(&hold.id).filter(|row| is_usable(row, hold.performers)).map(|row| row.booking)
        })
        .collect();
    let staff_ids: BTreeSet<Uuid> = holds.iter().flatten().map(|hold| hold.staff.id).collect();
    let staff_ids: Vec<Uuid> = staff_ids.into_iter().collect();
    let booking_ids: Vec<Uuid> = holds.iter().flatten().map(|hold| hold.id).collect();
    let mut reasons = if booking_ids.is_empty() {
        HashMap::new()
    } else {
        hours::stranded_reasons(tx, now, &staff_ids, &booking_ids).await?
    };
    let checked = holds.into_iter().zip(wanted).map(|(hold, wanted)| {
        let hold = hold.ok_or(Error::HoldExpired)?;
        require_fitting(&hold, &reasons.remove(&hold.id).unwrap_or_default(), wanted.limits)?;
        Ok(Hold(Box::new(hold)))
    });
    Ok(checked.collect())
}

/// A hold that becomes a booking.
pub(super) struct BookedHold<'a> {
    pub hold: Hold,
    pub actor: &'a Actor,
    pub new: &'a NewBooking,
    pub status: BookingStatus,
    pub customer: &'a Booked<'a>,
}

impl<'a> BookedHold<'a> {
    /// The change for the audit trail.
    pub(super) fn change(&self) -> BookingChange<'a> {
        let overridden = self.new.overriding;
        let details = EventDetails { no_mail: self.new.no_mail, ..EventDetails::default() };
        BookingChange { overridden, details, ..BookingChange::in_place(ChangeKind::Booked, self.actor) }
    }

    fn contact(&self) -> Option<&'a Contact> {
        self.customer.contact
    }
}

/// Turns the holds into bookings, under the terms they were held with, and returns them in their order. One statement
/// writes the rows and their events.
pub(super) async fn book(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    holds: &[BookedHold<'_>],
) -> Result<Vec<Row>> {
    macro_rules! column {
        ($type:ty, |$hold:ident| $value:expr) => {
            holds.iter().map(|$hold| $value).collect::<Vec<$type>>()
        };
    }
    let details = holds
        .iter()
        .map(|held| serde_json::to_value(held.change().details))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::internal("details of an event", error))?;
    let written = query_bookings!(
        ["WITH input AS MATERIALIZED (
              SELECT * FROM unnest($2::uuid[], $3::integer[], $4::booking_status[], $5::uuid[], $6::text[], $7::text[],
                                   $8::text[], $9::text[], $10::actor_kind[], $11::uuid[], $12::boolean[], $14::text[],
                                   $15::boolean[], $16::jsonb[])
                   AS i (id, rev, status, customer_id, customer_note, staff_note, contact_name, contact_phone, actor,
                         actor_id, overridden, for_whom, reminders, details)
          ), written AS (
              UPDATE bookings AS b
              SET status = i.status, customer_id = i.customer_id, customer_note = i.customer_note,
                  staff_note = i.staff_note, hold_expires_at = NULL, held_by = NULL, contact_name = i.contact_name,
                  contact_phone = i.contact_phone, for_whom = i.for_whom, reminders = i.reminders, rev = b.rev + 1,
                  updated_at = $1
              FROM input AS i WHERE b.id = i.id AND b.rev = i.rev
              RETURNING b.*
          ), event AS (
              INSERT INTO booking_events (booking_id, rev, status, change, actor, actor_id, overridden, details, at)
              SELECT w.id, w.rev, w.status, $13, i.actor, i.actor_id, i.overridden, i.details, $1
              FROM written AS w JOIN input AS i ON i.id = w.id
          ) " +]
        "written" [""],
        now,
        &column!(Uuid, |held| held.hold.0.id),
        &column!(i32, |held| held.hold.0.rev.0),
        &column!(BookingStatus, |held| held.status) as &[BookingStatus],
        &column!(Uuid, |held| held.customer.id),
        &column!(&str, |held| held.new.customer_note.as_str()) as &[&str],
        &column!(&str, |held| held.new.staff_note.as_str()) as &[&str],
        &column!(Option<&str>, |held| held.contact().map(|contact| contact.name.as_str())) as &[Option<&str>],
        &column!(Option<&str>, |held| held
            .contact()
            .and_then(|contact| contact.phone.as_ref())
            .map(Phone::as_str)) as &[Option<&str>],
        &column!(ActorKind, |held| held.actor.kind()) as &[ActorKind],
        &column!(Option<Uuid>, |held| held.actor.user_id()) as &[Option<Uuid>],
        &column!(bool, |held| held.new.overriding),
        ChangeKind::Booked.as_str(),
        &column!(Option<&str>, |held| held.new.for_whom.as_ref().map(PersonName::as_str)) as &[Option<&str>],
        &column!(bool, |held| held.new.reminders),
        &details,
    )
    .fetch_all(tx)
    .await?;
    let mut by_id: HashMap<Uuid, Row> = written.into_iter().map(|row| (row.booking.id, row)).collect();
    let changed = || Error::internal("booking a hold", "it changed under its lock");
    holds.iter().map(|held| by_id.remove(&held.hold.0.id).ok_or_else(changed)).collect()
}

/// The status of a new booking.
pub(super) fn first_status(actor: &Actor, requires_confirmation: bool) -> BookingStatus {
    if requires_confirmation && !actor.is_staff() { BookingStatus::Pending } else { BookingStatus::Confirmed }
}
