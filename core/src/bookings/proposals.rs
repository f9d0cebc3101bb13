//! Alternatives for bookings that no longer fit their calendar.

use serde::Serialize;
use uuid::Uuid;

use super::Booking;
use super::row::{Row, select_bookings};
use crate::pool::again_if_cut;
use crate::slots::{Displaced, replacements};
use crate::types::Actor;
use crate::{Alternative, Core, Error, Result};

/// Bookings for which alternatives are searched at once.
pub const MAX_PROPOSALS: usize = 50;

/// A booking that no longer fits, its customer, and free slots for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The booking.
    pub booking: Booking,
    /// Up to three free slots: the same start with others, later ones with the same member of staff, then the nearest.
    pub alternatives: Vec<Alternative>,
}

/// Proposals for those of these bookings that are pending or confirmed, by start, at most [`MAX_PROPOSALS`]; for staff.
/// Slots are proposed for each booking by itself: two of them may have the same one.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn proposals(core: &Core, actor: &Actor, booking_ids: &[Uuid]) -> Result<Vec<Proposal>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    again_if_cut(|| search(core, actor, booking_ids)).await
}

async fn search(core: &Core, actor: &Actor, booking_ids: &[Uuid]) -> Result<Vec<Proposal>> {
    let (db, now) = (&mut *core.pool.acquire().await?, core.now());
    let most = i64::try_from(MAX_PROPOSALS).unwrap_or(i64::MAX);
    let rows: Vec<Row> = select_bookings!(
        "WHERE b.id = ANY($1) AND b.status IN ('pending', 'confirmed') ORDER BY lower(b.during), b.id LIMIT $2",
        booking_ids,
        most,
    )
    .fetch_all(&mut *db)
    .await?;
    let mut proposals = Vec::with_capacity(rows.len());
    for row in rows {
        let booking = row.seen_by(actor);
        let displaced = Displaced {
            booking_id: booking.id,
            service_id: booking.service.id,
            staff_id: booking.staff.id,
            start: booking.start.to_utc(),
            seats: booking.seats.unsigned_abs(),
        };
        let alternatives = replacements(db, now, displaced).await?;
        proposals.push(Proposal { booking, alternatives });
    }
    Ok(proposals)
}
