//! Those who book, as staff see them.

mod erase;
mod get;
mod list;
mod merge;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    list::ListCustomers,
    get::GetCustomer,
    update::UpdateCustomer,
    merge::MergeCustomers,
    erase::EraseCustomer,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] =
    &[&list::OPERATION, &get::OPERATION, &update::OPERATION, &merge::OPERATION, &erase::OPERATION];
