//! Bookings: from the hold to the no-show. Each use case is a file; all that write go through [`write`].

mod input;
mod status;
mod view;

pub use input::{Booker, Contact, ListBookings, Move, NewBooking, NewHold, Wanted, WantedSlot};
pub use status::{Action, BookingStatus};
pub use view::{BookedCustomer, BookedService, BookedStaff, Booking, BookingEvent};

use uuid::Uuid;

use crate::idempotency::{Answer, IdempotencyKey};
use crate::notifications::Notification;
use crate::types::{Actor, ExpectedRev, Page};
use crate::{Core, Result};

/// Makes a booking: confirmed, or pending where the service wants confirmation and the actor is not staff.
///
/// Errors: [`crate::Error::SlotTaken`] with three alternatives; the refusals of the calendar (`StartInPast` to
/// `OffGrid`); `HoldExpired`; `NotFound` for service, staff or customer; `LoginRequired` for a guest where guests are not
/// allowed; `Forbidden` for what only staff may ask; `IdempotencyInProgress`, `IdempotencyKeyReused`; `Overloaded`.
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    new: NewBooking,
) -> Result<Answer<Booking>> {
    unimplemented!()
}

/// Keeps a slot for a short while. Errors as [`create`].
pub async fn hold(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    new: NewHold,
) -> Result<Answer<Booking>> {
    unimplemented!()
}

/// A booking, if the actor may see it: staff any, customers their own.
pub async fn get(core: &Core, actor: &Actor, id: Uuid) -> Result<Booking> {
    unimplemented!()
}

/// Bookings by (start, id): all for staff, their own for customers.
pub async fn list(core: &Core, actor: &Actor, which: &ListBookings) -> Result<Page<Booking>> {
    unimplemented!()
}

/// The audit trail of a booking, oldest first.
pub async fn events(core: &Core, actor: &Actor, id: Uuid) -> Result<Vec<BookingEvent>> {
    unimplemented!()
}

/// Where each mail of a booking stands.
pub async fn notifications(core: &Core, actor: &Actor, id: Uuid) -> Result<Vec<Notification>> {
    unimplemented!()
}

/// Calls a booking off. One that is cancelled already is answered unchanged.
///
/// Errors of this and the following: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `NoticePassed` (never
/// for staff), `Overloaded`.
pub async fn cancel(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    unimplemented!()
}

/// Moves a booking in place: the same id, one revision on. Errors also as [`create`].
pub async fn reschedule(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    to: Move,
) -> Result<Booking> {
    unimplemented!()
}

/// Staff accept a pending booking.
pub async fn confirm(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    unimplemented!()
}

/// Staff refuse a pending booking.
pub async fn decline(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    unimplemented!()
}

/// Staff note that the appointment took place.
pub async fn complete(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    unimplemented!()
}

/// Staff note that the customer did not come.
pub async fn no_show(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    unimplemented!()
}
