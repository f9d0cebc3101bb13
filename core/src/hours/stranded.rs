//! Bookings that no longer fit after a change: outside opening hours, or their staff no longer perform the service.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::zone;
use crate::Result;
use crate::calendar::{Calendar, Span, local_date};
use crate::slots::opening_hours;
use crate::types::BookingStatus;

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed<T> {
    /// The changed resource.
    pub value: T,
    /// Bookings that no longer fit after the change, by start. They are not changed.
    pub stranded: Vec<StrandedBooking>,
}

/// A pending or confirmed booking, not yet over, that no longer fits after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrandedBooking {
    /// The booking.
    pub booking_id: Uuid,
    /// The service.
    pub service_id: Uuid,
    /// The member of staff.
    pub staff_id: Uuid,
    /// Its status.
    pub status: BookingStatus,
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End, with the offset of the business's zone.
    pub end: DateTime<FixedOffset>,
}

impl StrandedBooking {
    fn during(&self) -> Option<Span> {
        Span::new(self.start.to_utc(), self.end.to_utc())
    }
}

/// The pending and confirmed bookings of these members of staff (of one service, if given; within a span, if given)
/// that are not over at `now`, by start.
pub(crate) async fn standing_bookings(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    staff_ids: &[Uuid],
    service_id: Option<Uuid>,
    within: Option<Span>,
) -> Result<Vec<StrandedBooking>> {
    let zone = zone(tx).await?;
    // An appointment is at most a day long, which lets the index on (staff_id, start) find those that still run.
    let rows = sqlx::query!(
        r#"SELECT id, service_id, staff_id, status AS "status: BookingStatus", lower(during) AS "start!",
                  upper(during) AS "end!"
           FROM bookings
           WHERE staff_id = ANY($1) AND blocks AND status IN ('pending', 'confirmed')
             AND lower(during) > $2::timestamptz - interval '24 hours' AND upper(during) > $2
             AND ($3::uuid IS NULL OR service_id = $3)
             AND ($4::timestamptz IS NULL OR upper(during) > $4)
             AND ($5::timestamptz IS NULL OR lower(during) < $5)
           ORDER BY lower(during), id"#,
        staff_ids,
        now,
        service_id,
        within.map(|span| span.start()),
        within.map(|span| span.end()),
    )
    .fetch_all(&mut *tx)
    .await?;
    let bookings = rows.into_iter().map(|row| StrandedBooking {
        booking_id: row.id,
        service_id: row.service_id,
        staff_id: row.staff_id,
        status: row.status,
        start: zone.at(row.start),
        end: zone.at(row.end),
    });
    Ok(bookings.collect())
}

/// The bookings that fit the hours before a change of hours.
pub(crate) struct Fitting {
    staff_ids: Vec<Uuid>,
    bookings: Vec<StrandedBooking>,
}

impl Fitting {
    /// Reads them before the change; `within` is the span that the change can affect, if known.
    pub(crate) async fn before(
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        staff_ids: &[Uuid],
        within: Option<Span>,
    ) -> Result<Self> {
        let bookings = standing_bookings(tx, now, staff_ids, None, within).await?;
        let mut fitting = Self { staff_ids: staff_ids.to_vec(), bookings };
        let fits = fitting.fits(tx).await?;
        let mut fits = fits.into_iter();
        fitting.bookings.retain(|_| fits.next().unwrap_or(false));
        Ok(fitting)
    }

    /// Those that no longer fit after it.
    pub(crate) async fn stranded(self, tx: &mut PgConnection) -> Result<Vec<StrandedBooking>> {
        let fits = self.fits(tx).await?;
        Ok(self
            .bookings
            .into_iter()
            .zip(fits)
            .filter(|(_, fits)| !fits)
            .map(|(booking, _)| booking)
            .collect())
    }

    async fn fits(&self, tx: &mut PgConnection) -> Result<Vec<bool>> {
        let spans = || self.bookings.iter().filter_map(StrandedBooking::during);
        let Some((first, last)) =
            spans().map(|span| span.start()).min().zip(spans().map(|span| span.end()).max())
        else {
            return Ok(Vec::new());
        };
        let zone = zone(tx).await?;
        let dates = (local_date(zone, first), local_date(zone, last));
        let calendars = opening_hours(tx, zone, &self.staff_ids, dates).await?;
        let calendar_of = |id: Uuid| calendars.iter().find(|calendar: &&Calendar| calendar.staff_id == id);
        Ok(self
            .bookings
            .iter()
            .map(|booking| {
                calendar_of(booking.staff_id)
                    .zip(booking.during())
                    .is_some_and(|(calendar, during)| calendar.is_open(during))
            })
            .collect())
    }
}
