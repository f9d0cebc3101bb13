//! Customers: the persons bookings are for.

mod booker;
mod links;
mod merge;
mod person;
mod reminders;
mod same_person;
mod search;

pub use booker::Contact;
pub(crate) use booker::{Booked, of_account_holder, of_contact, on_file};
pub use links::mail_booking_links;
pub use merge::merge;
pub(crate) use merge::merge_account;
pub(crate) use person::of_account;
pub use person::{Customer, ExportedCustomer, correct, get};
pub use reminders::{ReminderChoice, choose_reminders, reminder_choice};
pub(crate) use same_person::person_of;
pub use search::search;
