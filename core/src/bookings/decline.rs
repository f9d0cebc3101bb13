//! Staff refuse a pending booking.

use uuid::Uuid;

use super::change::change;
use super::{Action, Booking};
use crate::types::{Actor, ExpectedRev};
use crate::{Core, Result};

/// Staff refuse a pending booking.
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn decline(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    change(core, actor, id, expected, Action::Decline).await
}
