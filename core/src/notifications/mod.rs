//! The ledger of mails: one row per mail, with the progress and outcome of its sending.
//!
//! Three callers: a booking or an account plans its mails within its own transaction ([`plan`], `account`), the leader
//! enqueues the mails that fall due ([`enqueue_due`]), and the worker sends ([`sending`], [`facts`]). [`list`] shows
//! the state of each mail. Staff can resend one that failed or is in doubt ([`resend`]).

pub(crate) mod account;
pub(crate) mod booking_links;
pub mod facts;
pub mod plan;
pub mod sending;
pub mod several;
pub(crate) mod webhook_ended;

mod due;
mod ended;
mod forget;
mod kind;
mod list;
mod owed;
mod payload;
mod reminders;
mod resend;
mod watch;

pub use due::enqueue_due;
pub use ended::{EndedMail, count_if_committed};
pub(crate) use ended::{collect as collect_ended, record as record_ended};
pub(crate) use forget::{forget_account, forget_person};
pub use kind::{NotificationKind, NotificationOutcome};
pub use list::{Notification, NotificationState, list};
pub use owed::oldest_owed_age;
pub use payload::SendNotification;
pub(crate) use reminders::{cancel_reminders, plan_reminders_again};
pub use resend::resend;
pub(crate) use resend::resend_in;
pub use watch::{ResendableMail, resendable};
