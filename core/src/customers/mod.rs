//! Customers: the persons bookings are for.

mod booker;
mod links;
mod merge;
mod person;
mod reminders;
mod same_person;
mod search;

pub use booker::Contact;
pub(crate) use booker::{
    AccountHolder, Booked, address_lock_name, find_account_holders, find_on_file, insert_account_holders,
    of_contacts,
};
pub use links::mail_booking_links;
pub use merge::merge;
pub(crate) use merge::merge_account;
pub(crate) use person::of_account;
pub use person::{Customer, ExportedCustomer, correct, get};
pub use reminders::{ReminderChoice, choose_reminders, reminder_choice};
pub(crate) use same_person::person_of;
pub use search::search;
