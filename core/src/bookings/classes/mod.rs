//! Classes as a whole: who takes part, calling one off, moving one.

mod cancel;
mod list;
mod reschedule;

pub use cancel::cancel_class;
pub use list::{ClassOf, classes};
pub use reschedule::{ClassMove, move_class};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{self, Row};
use super::{BookingStatus, calendars, resources};
use crate::Result;
use crate::calendar::class_id;

/// What names a class: bookings of one class share these three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassAt {
    /// The service.
    pub service_id: Uuid,
    /// Who performs it.
    pub staff_id: Uuid,
    /// The start.
    pub start: DateTime<Utc>,
}

impl ClassAt {
    /// The id that its bookings share.
    fn id(&self) -> Uuid {
        class_id(self.service_id, self.staff_id, self.start)
    }
}

/// Locks the resources of a class whose calendar is locked, then its pending and confirmed bookings, by seat, and gives up its
/// holds.
async fn lock_participants(tx: &mut PgConnection, now: DateTime<Utc>, class: ClassAt) -> Result<Vec<Row>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM bookings WHERE staff_id = $1 AND lower(during) = $2 AND service_id = $3 AND blocks",
        class.staff_id,
        class.start,
        class.service_id,
    )
    .fetch_all(&mut *tx)
    .await?;
    let services = [class.service_id];
    let wanted = resources::ResourceChange { services: &services, bookings: &ids, staff: &[class.staff_id] };
    resources::lock(tx, now, wanted, true).await?;
    let mut rows = row::lock_many(tx, &ids).await?;
    rows.sort_by_key(|row| row.booking.seat_no);
    let (held, booked): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.booking.status == BookingStatus::Held);
    let held: Vec<Uuid> = held.iter().map(|row| row.booking.id).collect();
    calendars::give_up_holds(tx, now, &held).await?;
    Ok(booked)
}
