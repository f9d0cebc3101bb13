//! Mails: from the facts of a ledger row to the bytes of a message.
//!
//! To add a kind: its variant in `core::notifications::NotificationKind` (and a migration), the folder
//! `templates/<kind>/` with its bodies and its words in each language, its lines in [`templates`], and whether it has a
//! calendar part in [`calendar_part`]; its snapshots follow by themselves. Mails that speak of an account instead of a
//! booking are made in [`account`].

mod account;
mod calendar_part;
mod context;
mod dkim;
mod links;
mod message;
mod templates;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use account::compose_account;
pub use dkim::{BadKey, Signer};
pub use message::{BuildError, Mail, compose, compose_test};
pub use templates::Templates;
