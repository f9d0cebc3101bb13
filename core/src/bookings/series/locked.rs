//! The bookings of a series under the locks that a change of them needs.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::read::rev_of;
use super::{UnchangedOccurrence, UnchangedReason};
use crate::bookings::row::{Row, select_bookings};
use crate::bookings::{InSeries, resources};
use crate::pool::again_if_cut;
use crate::types::{Actor, BookingStatus, ExpectedRev};
use crate::{Core, Error, Result, staff};

/// The members of staff who have bookings of the series. Read before the transaction, whose first locks are their calendars.
///
/// # Errors
/// `NotFound` for no such series.
pub(super) async fn staff_of(core: &Core, id: Uuid) -> Result<Vec<Uuid>> {
    let staff_ids = again_if_cut(|| async {
        let found = sqlx::query_scalar!("SELECT DISTINCT staff_id FROM bookings WHERE series_id = $1", id);
        Ok(found.fetch_all(&core.pool).await?)
    })
    .await?;
    if staff_ids.is_empty() { Err(Error::NotFound("series")) } else { Ok(staff_ids) }
}

/// Locks the calendars, the resources, then the bookings of the series, and returns those that the actor may see, by number. None: a booking
/// was moved to staff whose calendar is not locked.
///
/// # Errors
/// `NotFound`; `RevMismatch`.
pub(super) async fn lock(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    staff_ids: &[Uuid],
) -> Result<Option<Vec<Row>>> {
    staff::lock(tx, staff_ids).await?;
    let of_series = sqlx::query!("SELECT id, service_id FROM bookings WHERE series_id = $1", id)
        .fetch_all(&mut *tx)
        .await?;
    let booking_ids: Vec<Uuid> = of_series.iter().map(|booking| booking.id).collect();
    let service_ids: Vec<Uuid> = of_series.iter().map(|booking| booking.service_id).collect();
    let wanted =
        resources::ResourceChange { services: &service_ids, bookings: &booking_ids, staff: staff_ids };
    resources::lock(tx, now, wanted, true).await?;
    sqlx::query_scalar!("SELECT id FROM bookings WHERE series_id = $1 ORDER BY id FOR NO KEY UPDATE", id)
        .fetch_all(&mut *tx)
        .await?;
    let mut rows: Vec<Row> =
        select_bookings!("WHERE b.series_id = $1 ORDER BY b.series_no", id).fetch_all(tx).await?;
    if rows.iter().any(|row| !staff_ids.contains(&row.booking.staff.id)) {
        return Ok(None);
    }
    let current = rev_of(&rows);
    rows.retain(|row| row.is_visible_to(actor));
    if rows.is_empty() {
        return Err(Error::NotFound("series"));
    }
    if !expected.matches(current) {
        return Err(Error::RevMismatch { current });
    }
    Ok(Some(rows))
}

/// Its place in its series.
pub(super) fn place_of(row: &Row) -> Result<InSeries> {
    row.booking.series.ok_or_else(|| Error::internal("a series", "a booking is of none"))
}

/// Whether it is pending or confirmed: a change of the series does not affect others.
pub(super) fn stands(row: &Row) -> bool {
    matches!(row.booking.status, BookingStatus::Pending | BookingStatus::Confirmed)
}

/// Whether it has begun.
pub(super) fn has_begun(row: &Row, now: DateTime<Utc>) -> bool {
    row.booking.start.to_utc() <= now
}

/// An occurrence that is not changed.
pub(super) fn kept(row: &Row, place: InSeries, why: UnchangedReason) -> UnchangedOccurrence {
    UnchangedOccurrence { booking_id: row.booking.id, no: place.no, why }
}
