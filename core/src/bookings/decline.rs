//! Refuses a pending booking; for staff.

use uuid::Uuid;

use super::change_status::{StatusOptions, change_status};
use super::{Booking, StaffMessage};
use crate::types::{Actor, BookingAction, ExpectedRev};
use crate::{Core, Result};

/// Refuses a pending booking; for staff.
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn decline(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    decline_with(core, actor, id, expected, StaffMessage::default()).await
}

/// [`decline`] with a message of staff to the customer.
///
/// Errors: those of [`decline`]; `StaffOnly`.
pub async fn decline_with(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    message: StaffMessage,
) -> Result<Booking> {
    let options = StatusOptions { message, ..StatusOptions::default() };
    change_status(core, actor, id, expected, BookingAction::Decline, options).await
}
