//! Accepts a pending booking; for staff.

use uuid::Uuid;

use super::Booking;
use super::change_status::{StatusOptions, change_status};
use crate::types::{Actor, BookingAction, ExpectedRev};
use crate::{Core, Result};

/// Accepts a pending booking; for staff. The calendar is checked again: the time may have been closed since the request.
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`; `OutsideHours`; `SlotTaken` when its
/// member of staff no longer performs the service or its class has no seat for it: then it has to be moved.
pub async fn confirm(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    change_status(core, actor, id, expected, BookingAction::Confirm, StatusOptions::default()).await
}

/// [`confirm`], also outside open hours.
///
/// Errors: those of [`confirm`] except `OutsideHours`.
pub async fn confirm_overriding(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
) -> Result<Booking> {
    let options = StatusOptions { overriding: true, ..StatusOptions::default() };
    change_status(core, actor, id, expected, BookingAction::Confirm, options).await
}
