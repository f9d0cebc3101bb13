//! Weekly hours.

mod get;
mod put;
mod remove;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (get::GetHours, put::PutHours, remove::RemoveLaterHours);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&get::OPERATION, &put::OPERATION, &remove::OPERATION];
