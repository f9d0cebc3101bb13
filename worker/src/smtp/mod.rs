//! An SMTP client for one relay (RFC 5321), one step at a time. lettre builds the messages but does not send them: its
//! transport does not report whether the end of a message was sent, and treats a reply that is not UTF-8, or has no text,
//! as no reply. Either could send a mail twice.
//!
//! lettre's feature `tracing` must stay off: it logs whole mails.

mod address;
mod breaker;
mod capacity;
mod connect;
mod connection;
mod failure;
mod redact;
mod relay;
mod reply;
mod timeouts;
mod trace;
mod transaction;

pub use address::{InvalidRelayUrl, RelayAddress};
pub use breaker::{Breaker, Opening, Permit};
pub use failure::{Failure, FailureClass, Step};
pub use relay::Relay;
pub use reply::Reply;
pub use timeouts::Timeouts;
pub use transaction::MailTransaction;
