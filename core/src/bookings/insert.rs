//! Storing a booking in the place that was found for it.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::place::Found;
use super::row::{self, Row};
use super::{BookingStatus, NewBooking};
use crate::types::Note;
use crate::{Error, Result};

/// What a new row has beside its place.
pub(super) struct Particulars<'a> {
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
            status,
            customer_id: Some(customer_id),
            customer_note: &new.customer_note,
            staff_note: &new.staff_note,
            hold_expires_at: None,
        }
    }
}

/// Inserts the row and reads it back. A seat that is not free is refused by the database.
pub(super) async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    found: &Found,
    particulars: &Particulars<'_>,
) -> Result<Row> {
    let Found { terms, staff_id, place } = found;
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone,
                               local_start, service_name, duration_min, price_minor, currency, customer_note,
                               staff_note, hold_expires_at, ics_uid, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, tstzrange($6, $7), tstzrange($8, $9), $10,
                 coalesce((SELECT min(seat) FROM generate_series(1, $11::integer) AS seat
                           WHERE NOT EXISTS (SELECT FROM bookings
                                             WHERE class_id = $10 AND seat_no = seat AND blocks)), $11),
                 $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $22)",
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
        now,
    )
    .execute(&mut *tx)
    .await?;
    row::find(tx, id).await?.ok_or_else(|| Error::internal("insert", "the booking is gone"))
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
