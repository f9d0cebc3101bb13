//! Extending a hold.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{BookingChange, write_booking};
use super::hold::MAX_MINUTES;
use super::{Booking, BookingStatus, calendars, row};
use crate::pool::again_if_cut;
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ChangeKind, Rev};
use crate::{Core, Error, Result, staff};

/// Extends a hold to ten minutes from now, once: a renewed hold is no longer at its first revision. The caller has checked
/// whose hold it is.
///
/// # Errors
/// [`Error::HoldExpired`] when it has expired, was booked, released or renewed before.
pub async fn renew_hold(core: &Core, hold_id: Uuid) -> Result<Booking> {
    let staff_id = again_if_cut(|| async {
        let found = sqlx::query_scalar!("SELECT staff_id FROM bookings WHERE id = $1", hold_id);
        Ok(found.fetch_optional(&core.pool).await?)
    })
    .await?
    .ok_or(Error::HoldExpired)?;
    let guards = calendars::lock_in_process(core, &[staff_id]).await?;
    write(core, Arc::new(Renew { hold_id, staff_id }), guards).await
}

/// Whether [`renew_hold`] would be allowed now.
#[must_use]
pub fn can_renew(hold: &Booking, now: DateTime<Utc>) -> bool {
    hold.status == BookingStatus::Held
        && hold.rev == Rev(1)
        && hold.hold_expires_at.is_some_and(|end| end > now)
}

struct Renew {
    hold_id: Uuid,
    staff_id: Uuid,
}

impl Write for Renew {
    type Output = Booking;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Booking>> {
        let actor = Actor::Link { booking_id: self.hold_id };
        staff::lock(tx, &[self.staff_id]).await?;
        let hold = row::lock(tx, self.hold_id).await?.ok_or(Error::HoldExpired)?.booking;
        if !can_renew(&hold, now) {
            return Err(Error::HoldExpired);
        }
        let row = write_booking!(
            "UPDATE bookings SET hold_expires_at = $9, rev = rev + 1, updated_at = $6
                 WHERE id = $7 AND rev = $8",
            now,
            BookingChange::in_place(ChangeKind::Renewed, &actor),
            hold.id,
            hold.rev.0,
            now + TimeDelta::minutes(i64::from(MAX_MINUTES)),
        )
        .fetch_optional(tx)
        .await?
        .ok_or_else(|| Error::internal("renewing a hold", "it changed under its lock"))?;
        Ok(Outcome::Changed(row.seen_by(&actor), &[]))
    }
}
