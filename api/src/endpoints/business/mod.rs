//! The business itself.

mod get;
mod put;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (get::GetBusiness, put::PutBusiness, update::UpdateBusiness);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&get::OPERATION, &put::OPERATION, &update::OPERATION];
