//! Calls a booking off.

use uuid::Uuid;

use super::Booking;
use super::change_status::change_status;
use crate::types::{Actor, BookingAction, ExpectedRev};
use crate::{Core, Result};

/// Cancels a booking. If it is already cancelled, it is returned unchanged and the expected revision is ignored.
/// Customers may cancel until the service's notice before the start ([`crate::Error::NoticePassed`]).
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn cancel(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    change_status(core, actor, id, expected, BookingAction::Cancel).await
}
