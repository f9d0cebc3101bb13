//! Calling off a whole class.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{ClassAt, lock_participants};
use crate::bookings::audit::{BookingChange, write_booking};
use crate::bookings::{Booking, BookingStatus, StaffMessage, calendars, mails};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ChangeKind, EventDetails};
use crate::{Core, Error, Result, services, slots, staff};

/// Cancels all pending and confirmed bookings of a class, each with one mail that carries the message, and gives up its
/// holds, all in one transaction. That start is not offered again. Returned are the bookings, by seat; repeating it changes
/// nothing.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] for a service or member of staff that does not exist, or who does not perform
/// it; [`Error::Overloaded`].
pub async fn cancel_class(
    core: &Core,
    actor: &Actor,
    class: ClassAt,
    message: StaffMessage,
) -> Result<Vec<Booking>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let guards = calendars::lock_in_process(core, &[class.staff_id]).await?;
    write(core, Arc::new(CancelClass { actor: *actor, class, message }), guards).await
}

struct CancelClass {
    actor: Actor,
    class: ClassAt,
    message: StaffMessage,
}

impl Write for CancelClass {
    type Output = Vec<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        let ClassAt { service_id, staff_id, start } = self.class;
        if staff::lock(tx, &[staff_id]).await?.is_empty() {
            return Err(Error::NotFound("staff"));
        }
        let participants = lock_participants(tx, now, self.class).await?;
        if participants.is_empty() {
            // Former staff can have bookings, but no future class.
            slots::terms(tx, service_id, Some(staff_id)).await?;
        }
        let details = EventDetails::default().with_message(&self.message);
        let change = BookingChange { details, ..BookingChange::in_place(ChangeKind::Cancelled, &self.actor) };
        let mut cancelled = Vec::with_capacity(participants.len());
        for row in participants {
            let row = write_booking!(
                "UPDATE bookings SET status = $9, rev = rev + 1, updated_at = $6 WHERE id = $7 AND rev = $8",
                now,
                change,
                row.booking.id,
                row.booking.rev.0,
                BookingStatus::Cancelled as BookingStatus,
            )
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| Error::internal("cancelling a class", "a booking changed under its lock"))?;
            mails::plan(tx, now, &row, &change, &[]).await?;
            cancelled.push(row.seen_by(&self.actor));
        }
        services::put_date(tx, service_id, staff_id, start, false).await?;
        services::count_up(tx, now, service_id).await?;
        Ok(Outcome::Changed(cancelled, mails::QUEUES))
    }
}
