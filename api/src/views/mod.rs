//! What the API shows of core's values.

mod account;
mod booking;
mod catalogue;
mod customer;
mod hours;
mod slots;

pub use account::{Account, Language, Role};
pub use booking::{Booking, BookingEvent, BookingEvents, BookingPage, Mail, Mails, Status};
pub use catalogue::{Business, ReminderKind, ReminderRule, Service, Staff};
pub use customer::Customer;
pub use hours::{Closure, DateOverride, DayWindow, StrandedBooking, StrandedBookings, TimeOff, Window};
pub use slots::Slots;
