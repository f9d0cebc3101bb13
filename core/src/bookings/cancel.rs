//! Cancels a booking.

use uuid::Uuid;

use super::change_status::{StatusOptions, change_status};
use super::{Booking, StaffMessage};
use crate::types::{Actor, BookingAction, ExpectedRev};
use crate::{Core, Result};

/// Cancels a booking. If it is already cancelled, it is returned unchanged and the expected revision is ignored.
/// Customers may cancel until the service's notice before the start ([`crate::Error::NoticePassed`]).
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn cancel(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    cancel_with(core, actor, id, expected, StaffMessage::default()).await
}

/// [`cancel`] with a message of staff to the customer.
///
/// Errors: those of [`cancel`]; `StaffOnly`.
pub async fn cancel_with(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    message: StaffMessage,
) -> Result<Booking> {
    let options = StatusOptions { message, ..StatusOptions::default() };
    change_status(core, actor, id, expected, BookingAction::Cancel, options).await
}
