//! What is kept of a person: all of it for them to read, and its end. A person ends in one of three ways, all of them
//! [`erase`]: they delete their account, staff erase a customer, or the business keeps nobody that long.
//!
//! What stays of a booking is its place in the calendar: service, staff, time, price and status, and who of the staff
//! did what to it.

mod account;
mod customer;
mod erase;
mod export;
mod retention;

pub use account::delete_account;
pub use customer::erase_customer;
pub use export::{ExportedBooking, ExportedMail, ExportedSession, PersonalData, export};
pub use retention::{Kept, erase_outdated};
