//! Bookings: from the hold to the no-show.

mod status;

pub use status::{Action, BookingStatus};
