//! Builds the message of a ledger row.
//!
//! To add a kind: its variant in `core::notifications::NotificationKind` (and a migration), the folder
//! `templates/<kind>/` with its bodies and its words in each language, its lines in [`templates`], and whether it has a
//! calendar part in [`calendar_part`]; the snapshot tests then cover it. Mails about an account instead of a booking are
//! built in [`account`], those about several bookings in [`several`], the one with the links of somebody's bookings in [`booking_links`], the one about a webhook
//! endpoint in [`webhook_ended`].

mod account;
mod booking_links;
mod calendar_part;
mod context;
mod dkim;
mod greeting;
mod invalid_key;
mod links;
mod message;
mod several;
mod templates;
mod webhook_ended;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use account::compose_account;
pub use booking_links::compose_booking_links;
pub use dkim::Signer;
pub use invalid_key::InvalidKey;
pub use message::{BuildError, Mail, compose, compose_test};
pub use several::{compose_reminder_of_visit, compose_several};
pub use templates::Templates;
pub use webhook_ended::compose_webhook_ended;
