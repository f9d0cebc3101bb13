//! Customers: the persons bookings are for.

mod booker;
mod person;
mod reminders;
mod search;

pub use booker::Contact;
pub(crate) use booker::{AccountHolder, find_account_holders, insert_account_holders, of_contact, on_file};
pub(crate) use person::of_account;
pub use person::{Customer, ExportedCustomer, correct, get};
pub use reminders::{ReminderChoice, choose_reminders, reminder_choice};
pub use search::search;
