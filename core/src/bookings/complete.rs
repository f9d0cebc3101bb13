//! Records that the appointment took place; for staff.

use uuid::Uuid;

use super::Booking;
use super::change_status::{StatusOptions, change_status};
use crate::types::{Actor, BookingAction, ExpectedRev};
use crate::{Core, Result};

/// Records that the appointment took place; for staff.
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn complete(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    change_status(core, actor, id, expected, BookingAction::Complete, StatusOptions::default()).await
}
