//! Booking the place of a hold.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{BookingChange, write_booking};
use super::place;
use super::row::{self, Row};
use super::{Booking, BookingStatus, NewBooking};
use crate::calendar::Limits;
use crate::customers::Booked;
use crate::slots::{self, ServiceTerms};
use crate::types::{Actor, BookingAction, ChangeKind, Phone};
use crate::{Error, Result};

/// A hold that can be booked. Its row is locked.
pub(super) struct Hold(Booking);

/// Locks the hold and checks that it can be booked, and that the calendar would still take it. The calendars of `performers`
/// are locked.
///
/// # Errors
/// `HoldExpired`, and those of [`place::still_fits`].
pub(super) async fn check(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    performers: &[Uuid],
    hold_id: Uuid,
    limits: Limits,
) -> Result<Hold> {
    let hold = row::lock(tx, hold_id).await?.ok_or(Error::HoldExpired)?;
    let usable = hold.status_at().after(BookingAction::Book, now).is_some()
        && hold.booking.hold_expires_at.is_some_and(|end| end > now)
        && performers.contains(&hold.booking.staff.id);
    if !usable {
        return Err(Error::HoldExpired);
    }
    place::still_fits(tx, now, &hold.booking, limits).await?;
    Ok(Hold(hold.booking))
}

/// Makes the hold a booking of this customer, under the terms it was held with.
pub(super) async fn book<'a>(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &'a Actor,
    new: &NewBooking,
    Hold(hold): Hold,
    customer: &Booked<'_>,
) -> Result<(Row, BookingChange<'a>, ServiceTerms)> {
    let terms = slots::terms(tx, hold.service.id, None).await?;
    let status = first_status(actor, terms.requires_confirmation);
    let change =
        BookingChange { overridden: new.overriding, ..BookingChange::in_place(ChangeKind::Booked, actor) };
    let row = write_booking!(
        "UPDATE bookings SET status = $9, customer_id = $10, customer_note = $11, staff_note = $12,
                             hold_expires_at = NULL, held_by = NULL, contact_name = $13, contact_phone = $14,
                             rev = rev + 1, updated_at = $6
         WHERE id = $7 AND rev = $8",
        now,
        change,
        hold.id,
        hold.rev.0,
        status as BookingStatus,
        customer.id,
        new.customer_note.as_str(),
        new.staff_note.as_str(),
        customer.contact.map(|contact| contact.name.as_str()),
        customer.contact.and_then(|contact| contact.phone.as_ref()).map(Phone::as_str),
    )
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| Error::internal("booking a hold", "it changed under its lock"))?;
    Ok((row, change, terms))
}

/// The status of a new booking.
pub(super) fn first_status(actor: &Actor, requires_confirmation: bool) -> BookingStatus {
    if requires_confirmation && !actor.is_staff() { BookingStatus::Pending } else { BookingStatus::Confirmed }
}
