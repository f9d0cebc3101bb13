//! What can be booked.

mod create;
mod get;
mod list;
mod reminders;
mod update;

/// The operations of this group.
pub type Operations = (list::ListServices, get::GetService, create::CreateService, update::UpdateService);
