//! What the API shows of core's values.

mod account;
mod booking;
mod catalogue;
mod slots;

pub use account::{Account, Language, Role};
pub use booking::{Booking, BookingEvent, BookingEvents, BookingPage, Mail, Mails, Status};
pub use catalogue::{Business, ReminderKind, ReminderRule, Service, Staff, StrandedBooking, Window};
pub use slots::Slots;
