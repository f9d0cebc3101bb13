//! The ledger of mails: one row for each mail that is owed, with the facts of its sending.
//!
//! Three callers: a booking or an account plans its mails within its own transaction ([`plan`], `account`), the leader
//! hands over to the queue what falls due ([`enqueue_due`]), and the worker sends ([`sending`], [`facts`]). [`list`] shows
//! where each mail stands; a person can have one sent again that failed or is in doubt ([`resend`]).

pub(crate) mod account;
pub(crate) mod booking_links;
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
pub(crate) use forget::{forget_account, forget_bookings, forget_customers};
pub use kind::{NotificationKind, NotificationOutcome};
pub use list::{Notification, NotificationState, list};
pub use owed::oldest_owed_age;
pub use payload::SendNotification;
pub use resend::resend;
