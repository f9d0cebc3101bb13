//! Personal data: export and erasure. There are three ways, all by [`erase`]: the owner deletes the account, staff
//! erase a customer, or the business's retention period ends.
//!
//! A booking keeps service, staff, time, price and status, and the changes made by staff.

mod account;
mod customer;
mod erase;
mod export;
mod retention;

pub use account::delete_account;
pub use customer::erase_customer;
pub use export::{ExportedBooking, ExportedMail, ExportedSession, PersonalData, export};
pub use retention::{RetentionRun, erase_outdated};
