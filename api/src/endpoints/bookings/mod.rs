//! Bookings.

mod cancel;
mod complete;
mod confirm;
mod create;
mod decline;
mod events;
mod get;
mod hold;
mod list;
mod no_show;
mod notifications;
mod reschedule;

/// The operations of this group.
pub type Operations = (
    create::CreateBooking,
    hold::HoldSlot,
    get::GetBooking,
    list::ListBookings,
    cancel::CancelBooking,
    reschedule::RescheduleBooking,
    confirm::ConfirmBooking,
    decline::DeclineBooking,
    complete::CompleteBooking,
    no_show::NoShowBooking,
    events::ListBookingEvents,
    notifications::ListBookingNotifications,
);
