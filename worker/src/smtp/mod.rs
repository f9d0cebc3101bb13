//! SMTP towards the relay, one step at a time. lettre's own transport is not used: it does not tell whether the end of
//! the message was sent, and that decides whether a mail may have been accepted.
//!
//! lettre's feature `tracing` must stay off: it logs whole mails.

mod address;
mod breaker;
mod connection;
mod failure;
mod relay;
mod timeouts;
mod trace;
mod transaction;

pub use address::{InvalidRelayUrl, RelayAddress};
pub use breaker::{Breaker, Permit};
pub use failure::{Failure, FailureClass, Step};
pub use relay::Relay;
pub use timeouts::Timeouts;
pub use transaction::{MailTransaction, Reply};
