//! Bookings.

mod calendar;
mod cancel;
mod complete;
mod confirm;
mod create;
mod decline;
mod events;
mod get;
mod hold;
mod limit;
mod list;
mod no_show;
mod notifications;
mod reschedule;
mod resend;

/// The operations of this group.
pub type Operations = (Made, Changed, Told);

type Made = (create::CreateBooking, hold::HoldSlot, get::GetBooking, list::ListBookings);

type Changed = (
    cancel::CancelBooking,
    reschedule::RescheduleBooking,
    confirm::ConfirmBooking,
    decline::DeclineBooking,
    complete::CompleteBooking,
    no_show::NoShowBooking,
);

type Told = (
    calendar::GetBookingCalendar,
    events::ListBookingEvents,
    notifications::ListBookingNotifications,
    resend::ResendNotification,
);
