//! Storing a booking in the place that was found for it.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::event::{Change, write_booking};
use super::place::Found;
use super::row::Row;
use super::{BookingStatus, NewBooking};
use crate::Result;
use crate::types::{Actor, Note};

/// What a new row has beside its place.
pub(super) struct Particulars<'a> {
    /// How it is called in the audit trail.
    pub name: &'static str,
    /// Whether limits are passed on purpose.
    pub overridden: bool,
    pub status: BookingStatus,
    pub customer_id: Option<Uuid>,
    pub customer_note: &'a Note,
    pub staff_note: &'a Note,
    pub hold_expires_at: Option<DateTime<Utc>>,
}

impl<'a> Particulars<'a> {
    /// Those of a booking.
    pub(super) fn of(new: &'a NewBooking, status: BookingStatus, customer_id: Uuid) -> Self {
        Self {
            name: "created",
            overridden: new.overriding,
            status,
            customer_id: Some(customer_id),
            customer_note: &new.customer_note,
            staff_note: &new.staff_note,
            hold_expires_at: None,
        }
    }
}

/// Inserts the row. A seat that is not free is refused by the database. The seats of its class are asked for by a range
/// of pairs, for which only `bookings_seat` serves: of the gist index, which has the class too, all would be read.
pub(super) async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    found: &Found,
    particulars: &Particulars<'_>,
) -> Result<Row> {
    let Found { terms, staff_id, place } = found;
    let id = new_id(now);
    let change = Change {
        name: particulars.name,
        actor,
        overridden: particulars.overridden,
        from: None,
        to: Some((place.during.start(), *staff_id)),
    };
    let row = write_booking!(
        "INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone,
                               local_start, service_name, duration_min, price_minor, currency, customer_note,
                               staff_note, hold_expires_at, ics_uid, created_at, updated_at)
         VALUES ($7, $8, $9, $10, $11, tstzrange($12, $13), tstzrange($14, $15), $16,
                 CASE WHEN $17 = 1 THEN 1 ELSE coalesce((
                     SELECT min(seat) FROM generate_series(1, $17::integer) AS seat
                     WHERE seat <> ALL (ARRAY(
                         SELECT seat_no FROM bookings
                         WHERE (class_id, seat_no) BETWEEN ($16, 1) AND ($16, $17) AND blocks))), $17) END,
                 $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $6, $6)",
        now,
        change,
        id,
        terms.rules.service_id,
        staff_id,
        particulars.customer_id,
        particulars.status as BookingStatus,
        place.during.start(),
        place.during.end(),
        place.blocked.start(),
        place.blocked.end(),
        place.class_id.unwrap_or(id),
        capacity(found),
        terms.zone.name(),
        terms.zone.wall(place.during.start()),
        terms.name,
        minutes(found),
        terms.price.minor,
        terms.price.currency.as_str(),
        particulars.customer_note.as_str(),
        particulars.staff_note.as_str(),
        particulars.hold_expires_at,
        id.to_string(),
    )
    .fetch_one(tx)
    .await?;
    Ok(row)
}

/// Seats of the place.
pub(super) fn capacity(found: &Found) -> i32 {
    i32::try_from(found.terms.rules.capacity).unwrap_or(i32::MAX)
}

/// Length of the place: that of its class where it stands already.
pub(super) fn minutes(found: &Found) -> i32 {
    let during = found.place.during;
    i32::try_from((during.end() - during.start()).num_minutes()).unwrap_or(i32::MAX)
}
