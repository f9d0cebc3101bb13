//! Dates on which the whole business is closed.

mod create;
mod holidays;
mod list;
mod put;
mod remove;
mod remove_range;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    list::ListClosures,
    create::CreateClosures,
    put::PutClosure,
    remove::RemoveClosure,
    remove_range::RemoveClosures,
    holidays::ListPublicHolidays,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &list::OPERATION,
    &create::OPERATION,
    &put::OPERATION,
    &remove::OPERATION,
    &remove_range::OPERATION,
    &holidays::OPERATION,
];
