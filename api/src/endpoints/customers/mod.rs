//! Customers, for staff.

mod create;
mod erase;
mod export;
mod get;
mod list;
mod merge;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    list::ListCustomers,
    create::CreateCustomer,
    get::GetCustomer,
    update::UpdateCustomer,
    merge::MergeCustomers,
    erase::EraseCustomer,
    export::ExportCustomers,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &list::OPERATION,
    &create::OPERATION,
    &get::OPERATION,
    &update::OPERATION,
    &merge::OPERATION,
    &erase::OPERATION,
    &export::OPERATION,
];
