//! Accounts and sessions.

mod confirm_password_reset;
mod login;
mod logout;
mod logout_everywhere;
mod password;
mod refresh;
mod register;
mod request_password_reset;
mod resend_verification;
mod session;
mod verify_email;

use crate::contract::Operation;

pub use password::Password;
pub use session::{NewRefreshToken, SessionTokens};

/// The operations of this group.
pub type Operations = (
    register::Register,
    verify_email::VerifyEmail,
    resend_verification::ResendVerification,
    login::Login,
    refresh::Refresh,
    logout::Logout,
    logout_everywhere::LogoutEverywhere,
    request_password_reset::RequestPasswordReset,
    confirm_password_reset::ConfirmPasswordReset,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &register::OPERATION,
    &login::OPERATION,
    &refresh::OPERATION,
    &logout::OPERATION,
    &logout_everywhere::OPERATION,
    &verify_email::OPERATION,
    &resend_verification::OPERATION,
    &request_password_reset::OPERATION,
    &confirm_password_reset::OPERATION,
];
