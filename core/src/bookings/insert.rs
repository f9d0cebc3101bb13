//! Storing a booking in the place that was found for it.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;

use super::audit::{BookingChange, write_booking};
use super::place::Placement;
use super::row::Row;
use super::{BookingStatus, NewBooking};
use crate::Result;
use crate::customers::Booked;
use crate::types::{Note, Phone};

/// What a new row holds beside its place.
pub(super) struct InsertParams<'a> {
    pub status: BookingStatus,
    /// None for a hold.
    pub customer: Option<Booked<'a>>,
    pub customer_note: &'a Note,
    pub staff_note: &'a Note,
    /// None unless it is a hold.
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// Who holds the slot; none unless it is a hold.
    pub held_by: Option<&'a str>,
}

impl<'a> InsertParams<'a> {
    /// Those of a booking, which is no hold.
    pub(super) fn of_booking(new: &'a NewBooking, status: BookingStatus, customer: Booked<'a>) -> Self {
        Self {
            status,
            customer: Some(customer),
            customer_note: &new.customer_note,
            staff_note: &new.staff_note,
            hold_expires_at: None,
            held_by: None,
        }
    }
}

/// Inserts the row with the lowest free seat of its class; the unique index `bookings_seat` rejects a seat that is
/// taken meanwhile. The seats are queried by a range of (`class_id`, `seat_no`), which only that index can serve: a
/// condition on `class_id` alone could choose the gist index and read the whole class from it.
pub(super) async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    change: &BookingChange<'_>,
    placement: &Placement,
    params: &InsertParams<'_>,
) -> Result<Row> {
    let Placement { terms, staff_id, place } = placement;
    let contact = params.customer.as_ref().and_then(|customer| customer.contact);
    let id = new_id(now);
    let row = write_booking!(
        "INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone,
                               local_start, service_name, duration_min, price_minor, currency, customer_note,
                               staff_note, hold_expires_at, ics_uid, contact_name, contact_phone, held_by, created_at,
                               updated_at)
         VALUES ($7, $8, $9, $10, $11, tstzrange($12, $13), tstzrange($14, $15), $16,
                 CASE WHEN $17 = 1 THEN 1 ELSE coalesce((
                     SELECT min(seat) FROM generate_series(1, $17::integer) AS seat
                     WHERE seat <> ALL (ARRAY(
                         SELECT seat_no FROM bookings
                         WHERE (class_id, seat_no) BETWEEN ($16, 1) AND ($16, $17) AND blocks))), $17) END,
                 $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $6, $6)",
        now,
        change,
        id,
        terms.rules.service_id,
        staff_id,
        params.customer.as_ref().map(|customer| customer.id),
        params.status as BookingStatus,
        place.during.start(),
        place.during.end(),
        place.blocked.start(),
        place.blocked.end(),
        place.class_id.unwrap_or(id),
        placement.capacity(),
        terms.zone.name(),
        terms.zone.wall(place.during.start()),
        terms.name,
        placement.minutes(),
        terms.price.minor,
        terms.price.currency.as_str(),
        params.customer_note.as_str(),
        params.staff_note.as_str(),
        params.hold_expires_at,
        id.to_string(),
        contact.map(|contact| contact.name.as_str()),
        contact.and_then(|contact| contact.phone.as_ref()).map(Phone::as_str),
        params.held_by,
    )
    .fetch_one(tx)
    .await?;
    Ok(row)
}
