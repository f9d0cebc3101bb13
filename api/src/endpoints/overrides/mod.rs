//! Overrides: hours of single dates.

mod list;
mod put;
mod remove;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (list::ListOverrides, put::PutOverride, remove::RemoveOverride);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&list::OPERATION, &put::OPERATION, &remove::OPERATION];
