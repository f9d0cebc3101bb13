//! Those who book.

mod booker;
mod person;
mod reminders;
mod search;

pub(crate) use booker::of_booker;
pub(crate) use person::of_account;
pub use person::{Customer, correct, get};
pub use reminders::{ReminderChoice, choose_reminders, reminder_choice};
pub use search::search;
