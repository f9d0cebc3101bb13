//! Accounts and sessions.

mod login;
mod logout;
mod password;
mod refresh;
mod register;
mod session;

pub use password::Password;

/// The operations of this group.
pub type Operations = (register::Register, login::Login, refresh::Refresh, logout::Logout);
