//! Staff note that the customer did not come.

use uuid::Uuid;

use super::change::change;
use super::{Action, Booking};
use crate::types::{Actor, ExpectedRev};
use crate::{Core, Result};

/// Staff note that the customer did not come.
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn no_show(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    change(core, actor, id, expected, Action::NoShow).await
}
