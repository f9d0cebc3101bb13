//! Customers: the persons bookings are for.

mod booker;
mod create;
mod links;
mod mails;
mod merge;
mod person;
mod reminders;
mod same_person;
mod search;
mod select;
mod update;
mod view;

pub use booker::Contact;
pub(crate) use booker::{
    AccountHolder, Booked, contact_lock_name, find_account_holders, find_on_file, insert_account_holders,
    of_contacts,
};
pub use create::{NewCustomer, create};
pub use links::mail_booking_links;
pub use merge::merge;
pub(crate) use merge::merge_account;
pub use person::get;
pub(crate) use person::of_account;
pub use reminders::{ReminderChoice, choose_reminders, reminder_choice};
pub(crate) use same_person::person_of;
pub use search::{ListCustomers, search};
pub use update::{CustomerPatch, correct, update};
pub use view::{Customer, ExportedCustomer, Visits};
