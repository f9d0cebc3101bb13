//! The caller's account.

mod change_password;
mod delete;
mod end_session;
mod export;
mod get;
mod sessions;
mod update;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (
    get::GetMe,
    update::UpdateMe,
    change_password::ChangePassword,
    sessions::ListSessions,
    end_session::EndSession,
    export::ExportMe,
    delete::DeleteMe,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &get::OPERATION,
    &update::OPERATION,
    &change_password::OPERATION,
    &sessions::OPERATION,
    &end_session::OPERATION,
    &export::OPERATION,
    &delete::OPERATION,
];
