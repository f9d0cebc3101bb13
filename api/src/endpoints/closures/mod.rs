//! Dates on which the whole business is closed.

mod list;
mod put;
mod remove;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (list::ListClosures, put::PutClosure, remove::RemoveClosure);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&list::OPERATION, &put::OPERATION, &remove::OPERATION];
