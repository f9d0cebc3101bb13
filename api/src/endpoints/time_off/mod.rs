//! Time off.

mod create;
mod list;
mod remove;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (list::ListTimeOff, create::CreateTimeOff, remove::RemoveTimeOff);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&list::OPERATION, &create::OPERATION, &remove::OPERATION];
