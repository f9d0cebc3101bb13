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
mod change_many;
mod change_status;
mod classes;
mod complete;
mod confirm;
mod create;
mod decision;
mod decline;
mod held;
mod held_time;
mod hold;
mod input;
mod insert;
mod list;
mod mails;
mod mails_of_several;
mod managed;
mod no_show;
mod note;
mod own;
mod performers;
mod place;
mod proposals;
mod read;
mod release;
mod reminders;
mod renew;
mod reschedule;
mod resources;
mod row;
mod send_confirmation;
mod series;
mod sweep;
mod together;
mod transitions;
mod update;
mod view;
mod visits;
mod within;

pub use crate::types::{BookingStatus, ChangeKind, EventDetails, Position, Replaced};
pub use cancel::{cancel, cancel_with};
pub use change_many::{BatchAction, Change, change_many};
pub use classes::{ClassAt, ClassMove, ClassOf, cancel_class, classes, move_class};
pub use complete::complete;
pub use confirm::{confirm, confirm_overriding};
pub use create::{create, is_repeated};
pub use decision::{Decision, decision};
pub use decline::{decline, decline_with};
pub use hold::{hold, is_held_by, is_hold_repeated};
pub use input::{
    Booker, BookingPatch, ListBookings, Move, NewBooking, NewHold, RequestedSlot, SlotSource, StaffMessage,
};
pub use list::list;
pub use managed::{Managed, managed};
pub use no_show::no_show;
pub use note::write_note;
pub use own::link_epochs;
pub use proposals::{MAX_PROPOSALS, Proposal, proposals};
pub(crate) use read::of_account;
pub use read::{events, get, notifications};
pub use release::release_hold;
pub use reminders::choose_reminders;
pub use renew::{can_renew, renew_hold};
pub use reschedule::{check_place, reschedule};
pub use resources::{UsedResource, used_resources};
pub use send_confirmation::send_confirmation;
pub use series::{
    Mode, MoveSeries, NewSeries, Series, SeriesChange, SeriesMade, UnchangedOccurrence, UnchangedReason,
    cancel_series, create_series, get_series, move_series, try_cancel_series, try_move_series, try_series,
};
pub(crate) use sweep::COMPLETED_AFTER;
pub use sweep::{complete_past, expire_holds, expire_pending};
pub use transitions::allowed_actions;
pub use update::update;
pub use view::{BookedCustomer, BookedService, BookedStaff, Booking, BookingEvent, InSeries};
pub use visits::{NewVisit, Visit, create_visit, create_visit_of_form, is_visit_repeated, visit_of_form};
pub use within::within;
