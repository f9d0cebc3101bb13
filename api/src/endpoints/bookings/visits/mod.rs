//! Visits: several services one after the other.

mod create;
mod slots;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (slots::ListVisitSlots, create::CreateVisit);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&slots::OPERATION, &create::OPERATION];
