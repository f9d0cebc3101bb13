//! The ledger of mails: one row for each mail, with the facts of its sending.
//!
//! A booking or an account plans its mails within its own transaction ([`plan`], `account`), the leader enqueues what is
//! due ([`enqueue_due`]), and the worker sends ([`sending`], [`facts`]). [`list`] returns the state of each mail; staff can
//! send one again that failed or is in doubt ([`resend`]).

pub(crate) mod account;
pub mod facts;
pub mod plan;
pub mod sending;

mod due;
mod forget;
mod kind;
mod list;
mod owed;
mod payload;
mod resend;

pub use due::enqueue_due;
pub(crate) use forget::{forget_account, forget_bookings};
pub use kind::{NotificationKind, NotificationOutcome};
pub use list::{Notification, NotificationState, list};
pub use owed::oldest_owed_age;
pub use payload::SendNotification;
pub use resend::resend;
