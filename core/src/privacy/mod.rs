//! Personal data: its export and its erasure. All three ways to erasure use [`erase`]: an owner deletes the account, staff
//! erase a customer, or the retention period ends.
//!
//! Kept of a booking: service, staff, time, price, status, and which staff made which change.

mod account;
mod customer;
mod erase;
mod export;
mod retention;

pub use account::delete_account;
pub use customer::erase_customer;
pub use export::{ExportedBooking, ExportedMail, ExportedSession, PersonalData, export};
pub use retention::{Kept, erase_outdated};
