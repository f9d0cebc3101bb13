//! Customers: the persons bookings are for.

mod booker;
mod links;
mod person;
mod reminders;
mod search;

pub use booker::Contact;
pub(crate) use booker::{of_account_holder, of_contact, on_file};
pub use links::mail_booking_links;
pub(crate) use person::of_account;
pub use person::{Customer, ExportedCustomer, correct, get};
pub use reminders::{ReminderChoice, choose_reminders, reminder_choice};
pub use search::search;
