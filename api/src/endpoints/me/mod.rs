//! The account that asks.

mod change_password;
mod delete;
mod export;
mod get;
mod update;

/// The operations of this group.
pub type Operations =
    (get::GetMe, update::UpdateMe, change_password::ChangePassword, export::ExportMe, delete::DeleteMe);
