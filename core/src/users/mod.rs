//! Accounts that can log in. The caller hashes passwords.

mod account;
mod change_password;
mod employ;
mod link;
mod login;
mod register;
mod reset;
mod verify;

use punctual_queue::Payload;

use crate::notifications::SendNotification;

pub use account::{User, UserPatch, get, update};
pub use change_password::{PasswordChange, PasswordOwner, change_password, password_owner};
pub(crate) use employ::{dismiss, employ, reinstate, set_role};
pub use link::{LinkedAccount, linked_account};
pub use login::{LoginUser, find_for_login, rehash, set_password};
pub use register::{NewUser, create_admin, invite_admin, register};
pub use reset::{request_password_reset, set_password_by_link};
pub use verify::{PasswordProof, resend_verification, verify_email};

/// The queues to wake after an account mail was planned.
pub(crate) const MAILS: &[&str] = &[SendNotification::QUEUE];
