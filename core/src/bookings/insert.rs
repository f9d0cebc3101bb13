//! Storing bookings in the places that were found for them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::BookingStatus;
use super::audit::BookingChange;
use super::place::Placement;
use super::row::{Row, query_bookings};
use crate::customers::{Booked, Contact};
use crate::types::{ActorKind, Note, PersonName, Phone};
use crate::{Error, Result};

/// A new row.
pub(super) struct NewRow<'a> {
    pub id: Uuid,
    pub change: BookingChange<'a>,
    pub placement: Placement<'a>,
    /// Seats of its class that rows of the same statement take before it.
    pub seats_before: i32,
    pub status: BookingStatus,
    /// None for a hold.
    pub customer: Option<&'a Booked<'a>>,
    /// Who comes in the customer's place.
    pub for_whom: Option<&'a PersonName>,
    pub customer_note: &'a Note,
    pub staff_note: &'a Note,
    pub reminders: bool,
    /// None unless it is a hold.
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// Who holds the slot; none unless it is a hold.
    pub held_by: Option<&'a str>,
}

impl NewRow<'_> {
    fn contact(&self) -> Option<&Contact> {
        self.customer.and_then(|customer| customer.contact)
    }
}

/// Inserts the rows and their events with one statement and returns them in their order. The seats of a class are the lowest
/// free ones (`free_seats` of migration 0070); the constraint `bookings_seats` rejects one that is taken meanwhile. That function
/// reads a range of (`class_id`, `seat_no`), which only the index `bookings_seat` can serve: a condition on `class_id` alone could
/// choose the gist index and read the whole class from it.
pub(super) async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    rows: &[NewRow<'_>],
) -> Result<Vec<Row>> {
    macro_rules! column {
        ($type:ty, |$row:ident| $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<$type>>()
        };
    }
    let details = rows
        .iter()
        .map(|row| serde_json::to_value(&row.change.details))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::internal("details of an event", error))?;
    let inserted = query_bookings!(
        ["WITH input AS MATERIALIZED (
              SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::booking_status[],
                                   $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::uuid[],
                                   $12::integer[], $13::integer[], $14::text[], $15::timestamp[], $16::text[], $17::integer[],
                                   $18::bigint[], $19::text[], $20::text[], $21::text[], $22::timestamptz[], $23::text[],
                                   $24::text[], $25::text[], $26::text[], $27::actor_kind[], $28::uuid[], $29::boolean[],
                                   $30::jsonb[], $31::text[], $32::boolean[], $33::integer[])
                   AS i (id, service_id, staff_id, customer_id, status, start_at, end_at, blocked_from, blocked_to, class_id,
                         capacity, seats_before, zone, local_start, service_name, duration_min, price_minor, currency,
                         customer_note, staff_note, hold_expires_at, held_by, contact_name, contact_phone, change, actor,
                         actor_id, overridden, details, for_whom, reminders, seats)
          ), written AS (
              INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, seats, all_seats, zone,
                                    local_start, service_name, duration_min, price_minor, currency, customer_note,
                                    staff_note, hold_expires_at, held_by, contact_name, contact_phone, for_whom, reminders, ics_uid,
                                    created_at, updated_at)
              SELECT id, service_id, staff_id, customer_id, status, tstzrange(start_at, end_at),
                     tstzrange(blocked_from, blocked_to), class_id,
                     CASE WHEN capacity = 1 THEN 1
                          ELSE lower(free_seats(class_id, capacity, seats_before, seats, NULL)) END,
                     seats, CASE WHEN seats > 1 THEN free_seats(class_id, capacity, seats_before, seats, NULL) END,
                     zone, local_start, service_name, duration_min, price_minor, currency, customer_note, staff_note,
                     hold_expires_at, held_by, contact_name, contact_phone, for_whom, reminders, id::text, $1, $1
              FROM input
              RETURNING *
          ), event AS (
              INSERT INTO booking_events (booking_id, rev, status, change, actor, actor_id, overridden, details, at)
              SELECT id, 1, status, change, actor, actor_id, overridden, details, $1 FROM input
          ) " +]
        "written" [""],
        now,
        &column!(Uuid, |row| row.id),
        &column!(Uuid, |row| row.placement.terms.rules.service_id),
        &column!(Uuid, |row| row.placement.staff_id),
        &column!(Option<Uuid>, |row| row.customer.map(|customer| customer.id)) as &[Option<Uuid>],
        &column!(BookingStatus, |row| row.status) as &[BookingStatus],
        &column!(DateTime<Utc>, |row| row.placement.place.during.start()),
        &column!(DateTime<Utc>, |row| row.placement.place.during.end()),
        &column!(DateTime<Utc>, |row| row.placement.place.blocked.start()),
        &column!(DateTime<Utc>, |row| row.placement.place.blocked.end()),
        &column!(Uuid, |row| row.placement.place.class_id.unwrap_or(row.id)),
        &column!(i32, |row| row.placement.capacity()),
        &column!(i32, |row| row.seats_before),
        &column!(String, |row| row.placement.terms.zone.name().to_owned()),
        &column!(NaiveDateTime, |row| row.placement.terms.zone.wall(row.placement.place.during.start())),
        &column!(String, |row| row.placement.terms.name.clone()),
        &column!(i32, |row| row.placement.minutes()),
        &column!(i64, |row| row.placement.price_minor()),
        &column!(String, |row| row.placement.terms.price.currency.as_str().to_owned()),
        &column!(String, |row| row.customer_note.as_str().to_owned()),
        &column!(String, |row| row.staff_note.as_str().to_owned()),
        &column!(Option<DateTime<Utc>>, |row| row.hold_expires_at) as &[Option<DateTime<Utc>>],
        &column!(Option<&str>, |row| row.held_by) as &[Option<&str>],
        &column!(Option<&str>, |row| row.contact().map(|contact| contact.name.as_str())) as &[Option<&str>],
        &column!(Option<&str>, |row| row
            .contact()
            .and_then(|contact| contact.phone.as_ref())
            .map(Phone::as_str)) as &[Option<&str>],
        &column!(String, |row| row.change.kind.as_str().to_owned()),
        &column!(ActorKind, |row| row.change.actor.kind()) as &[ActorKind],
        &column!(Option<Uuid>, |row| row.change.actor.caller_id()) as &[Option<Uuid>],
        &column!(bool, |row| row.change.overridden),
        &details,
        &column!(Option<&str>, |row| row.for_whom.map(PersonName::as_str)) as &[Option<&str>],
        &column!(bool, |row| row.reminders),
        &column!(i32, |row| row.placement.seats.cast_signed()),
    )
    .fetch_all(tx)
    .await?;
    let mut by_id: HashMap<Uuid, Row> = inserted.into_iter().map(|row| (row.booking.id, row)).collect();
    rows.iter()
        .map(|row| {
            by_id.remove(&row.id).ok_or_else(|| Error::internal("inserting bookings", "a row is missing"))
        })
        .collect()
}
