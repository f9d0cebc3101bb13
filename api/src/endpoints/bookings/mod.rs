//! Bookings.

mod batch;
mod calendar;
mod cancel;
mod complete;
mod confirm;
mod create;
mod decline;
mod events;
mod export;
mod get;
mod hold;
mod limit;
mod list;
mod message;
mod no_show;
mod notifications;
mod release;
mod reschedule;
mod resend;
mod send_confirmation;
mod series;
mod stranded;
mod update;
mod visits;

use crate::contract::Operation;

/// Access, limits and problems of series.
pub use series::OPERATIONS as SERIES;
/// Access, limits and problems of visits.
pub use visits::OPERATIONS as VISITS;

/// The operations of this group.
pub type Operations = (Create, Update, Read, series::Operations, visits::Operations);

type Create =
    (create::CreateBooking, hold::HoldSlot, release::ReleaseHold, get::GetBooking, list::ListBookings);

type Update = (
    batch::ChangeBookings,
    cancel::CancelBooking,
    reschedule::RescheduleBooking,
    confirm::ConfirmBooking,
    decline::DeclineBooking,
    complete::CompleteBooking,
    no_show::NoShowBooking,
    update::UpdateBooking,
);

type Read = (
    calendar::GetBookingCalendar,
    events::ListBookingEvents,
    export::ExportBookings,
    notifications::ListBookingNotifications,
    resend::ResendNotification,
    send_confirmation::SendConfirmation,
    stranded::ListStrandedBookings,
);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &create::OPERATION,
    &hold::OPERATION,
    &release::OPERATION,
    &get::OPERATION,
    &calendar::OPERATION,
    &list::OPERATION,
    &export::OPERATION,
    &stranded::OPERATION,
    &batch::OPERATION,
    &update::OPERATION,
    &cancel::OPERATION,
    &reschedule::OPERATION,
    &confirm::OPERATION,
    &decline::OPERATION,
    &complete::OPERATION,
    &no_show::OPERATION,
    &events::OPERATION,
    &notifications::OPERATION,
    &resend::OPERATION,
    &send_confirmation::OPERATION,
];
