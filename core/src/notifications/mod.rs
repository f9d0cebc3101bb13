//! The ledger of mails: one row for each mail that is owed, with the facts of its sending.
//!
//! Three callers: a booking plans its mails within its own transaction ([`plan`]), the leader hands over to the queue
//! what falls due ([`enqueue_due`]), and the worker sends ([`sending`], [`facts`]). [`list`] shows where each mail stands.

pub mod facts;
pub mod plan;
pub mod sending;

mod due;
mod kind;
mod list;
mod payload;

pub use due::enqueue_due;
pub use kind::{NotificationKind, NotificationOutcome};
pub use list::{Notification, NotificationState, list};
pub use payload::SendNotification;
