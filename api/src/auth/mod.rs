//! Authentication: access tokens, passwords, and the caller that handlers receive.

mod caller;
mod email_proof;
pub mod password_rules;
mod passwords;
mod tokens;

pub use caller::{Caller, as_of_now, identify};
pub use email_proof::prove_email;
pub use passwords::{Passwords, Verified};
pub use tokens::{Claims, Tokens};
