//! Releasing a hold.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{BookingChange, write_booking};
use super::{BookingStatus, calendars, row};
use crate::pool::again_if_cut;
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ChangeKind};
use crate::{Core, Error, Result, staff};

/// Releases a hold before it expires. Allowed for staff, for the account that made it, and with `has_token`: the caller has
/// verified a token of this hold. A hold that has expired or was released is not changed.
///
/// # Errors
/// [`Error::NotFound`], also for somebody else's hold; [`Error::HoldExpired`] for one that was booked; `Overloaded`.
pub async fn release_hold(core: &Core, actor: &Actor, has_token: bool, id: Uuid) -> Result<()> {
    let hold = again_if_cut(|| async {
        let hold = sqlx::query!("SELECT staff_id, held_by FROM bookings WHERE id = $1", id);
        Ok(hold.fetch_optional(&core.pool).await?)
    })
    .await?
    .ok_or(Error::NotFound("hold"))?;
    let own = hold.held_by.is_some() && hold.held_by == actor.caller_id().map(|id| id.to_string());
    if !(has_token || own || actor.is_staff()) {
        return Err(Error::NotFound("hold"));
    }
    let guards = calendars::lock_in_process(core, &[hold.staff_id]).await?;
    write(core, Arc::new(Release { actor: *actor, id, staff_id: hold.staff_id }), guards).await
}

struct Release {
    actor: Actor,
    id: Uuid,
    /// The member of staff of a hold never changes.
    staff_id: Uuid,
}

impl Write for Release {
    type Output = ();

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<()>> {
        staff::lock(tx, &[self.staff_id]).await?;
        let hold = row::lock(tx, self.id).await?.ok_or(Error::NotFound("hold"))?.booking;
        match hold.status {
            BookingStatus::Held => {}
            BookingStatus::Expired => return Ok(Outcome::Unchanged(())),
            _ => return Err(Error::HoldExpired),
        }
        write_booking!(
            "UPDATE bookings SET status = 'expired', held_by = NULL, rev = rev + 1, updated_at = $6
             WHERE id = $7 AND rev = $8",
            now,
            BookingChange::in_place(ChangeKind::Released, &self.actor),
            hold.id,
            hold.rev.0,
        )
        .fetch_optional(tx)
        .await?
        .ok_or_else(|| Error::internal("releasing a hold", "it changed under its lock"))?;
        Ok(Outcome::Changed((), &[]))
    }
}
