//! The account that asks.

mod change_password;
mod delete;
mod export;
mod get;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations =
    (get::GetMe, update::UpdateMe, change_password::ChangePassword, export::ExportMe, delete::DeleteMe);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &get::OPERATION,
    &update::OPERATION,
    &change_password::OPERATION,
    &export::OPERATION,
    &delete::OPERATION,
];
