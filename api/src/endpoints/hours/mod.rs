//! Weekly hours.

mod get;
mod put;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (get::GetHours, put::PutHours);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&get::OPERATION, &put::OPERATION];
