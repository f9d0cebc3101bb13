//! Staff note that the appointment took place.

use uuid::Uuid;

use super::change::change;
use super::{Action, Booking};
use crate::types::{Actor, ExpectedRev};
use crate::{Core, Result};

/// Staff note that the appointment took place.
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn complete(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    change(core, actor, id, expected, Action::Complete).await
}
