//! Bookings: from the hold to the no-show. Each use case is a file.
//!
//! New bookings and holds are committed in batches ([`batch`]). Every other write waits in this process for the calendars
//! ([`calendars`]), then runs one transaction in a task of its own ([`crate::transaction`]). The steps of a transaction are
//! always the same: lock the calendars, write the bookings with their events, plan their mails, store the answers, COMMIT.

mod alternatives;
mod audit;
mod batch;
mod calendars;
mod cancel;
mod change_status;
mod complete;
mod confirm;
mod create;
mod decision;
mod decline;
mod held;
mod hold;
mod input;
mod insert;
mod kept;
mod mails;
mod managed;
mod no_show;
mod note;
mod own;
mod place;
mod read;
mod reschedule;
mod row;
mod sweep;
mod transitions;
mod view;

pub use crate::types::BookingStatus;
pub use audit::{ChangeKind, EventDetails, Position};
pub use cancel::cancel;
pub use complete::complete;
pub use confirm::confirm;
pub use create::{create, is_repeated};
pub use decision::{Decision, decision};
pub use decline::decline;
pub use hold::{hold, is_held_by, is_hold_repeated};
pub use input::{Booker, ListBookings, Move, NewBooking, NewHold, Wanted, WantedSlot};
pub use kept::{can_renew, release_hold, renew_hold};
pub use managed::{Managed, managed};
pub use no_show::no_show;
pub use note::write_note;
pub use own::link_epochs;
pub(crate) use read::of_account;
pub use read::{events, get, list, notifications};
pub use reschedule::reschedule;
pub use sweep::{complete_past, expire_holds, expire_pending};
pub use view::{BookedCustomer, BookedService, BookedStaff, Booking, BookingEvent};
