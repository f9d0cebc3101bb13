//! Bookings: from the hold to the no-show. Each use case is a file.
//!
//! Every write takes the same way: its turn in this process ([`calendars`]), a transaction in a task of its own
//! ([`crate::transaction`]), the locks of the calendars, the booking, its event, its mails, the stored answer, COMMIT.

mod calendars;
mod cancel;
mod change;
mod complete;
mod confirm;
mod create;
mod decided;
mod decline;
mod event;
mod hold;
mod input;
mod insert;
mod mails;
mod managed;
mod no_show;
mod place;
mod read;
mod reschedule;
mod row;
mod status;
mod sweep;
mod transitions;
mod view;

pub use cancel::cancel;
pub use complete::complete;
pub use confirm::confirm;
pub use create::{create, is_repeated};
pub use decided::{Decided, to_decide};
pub use decline::decline;
pub use hold::{hold, is_held_by, is_hold_repeated};
pub use input::{Booker, Contact, ListBookings, Move, NewBooking, NewHold, Wanted, WantedSlot};
pub use managed::{Managed, managed};
pub use no_show::no_show;
pub(crate) use read::of_account;
pub use read::{events, get, list, notifications};
pub use reschedule::reschedule;
pub use status::BookingStatus;
pub use sweep::{complete_past, expire_holds, expire_pending};
pub use transitions::Action;
pub use view::{BookedCustomer, BookedService, BookedStaff, Booking, BookingEvent};
