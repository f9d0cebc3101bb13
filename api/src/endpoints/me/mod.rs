//! The account that asks.

mod get;
mod update;

/// The operations of this group.
pub type Operations = (get::GetMe, update::UpdateMe);
