//! Those who book, as staff see them.

mod erase;
mod get;
mod list;
mod update;

/// The operations of this group.
pub type Operations = (list::ListCustomers, get::GetCustomer, update::UpdateCustomer, erase::EraseCustomer);
