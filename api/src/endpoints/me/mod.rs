//! The account that asks.

mod delete;
mod export;
mod get;
mod update;

/// The operations of this group.
pub type Operations = (get::GetMe, update::UpdateMe, export::ExportMe, delete::DeleteMe);
