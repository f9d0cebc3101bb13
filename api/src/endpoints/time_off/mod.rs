//! When members of staff are away.

mod create;
mod list;
mod remove;

/// The operations of this group.
pub type Operations = (list::ListTimeOff, create::CreateTimeOff, remove::RemoveTimeOff);
