//! Calls a booking off.

use uuid::Uuid;

use super::change::change;
use super::{Action, Booking};
use crate::types::{Actor, ExpectedRev};
use crate::{Core, Result};

/// Calls a booking off. One that is cancelled already is answered unchanged, whatever revision is expected.
/// Customers may until the service's notice before the start ([`crate::Error::NoticePassed`]).
///
/// Errors: `NotFound`, `Forbidden`, `RevMismatch`, `InvalidTransition`, `Overloaded`.
pub async fn cancel(core: &Core, actor: &Actor, id: Uuid, expected: ExpectedRev) -> Result<Booking> {
    change(core, actor, id, expected, Action::Cancel).await
}
