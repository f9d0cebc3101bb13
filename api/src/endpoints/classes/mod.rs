//! Classes as a whole.

mod cancel;
mod list;
mod reschedule;

use poem_openapi::Object;
use punctual_core::bookings;
use serde::Serialize;

use crate::{contract::Operation, views::Booking};

/// The operations of this group.
pub type Operations = (list::ListClasses, cancel::CancelClass, reschedule::MoveClass);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&list::OPERATION, &cancel::OPERATION, &reschedule::OPERATION];

/// The bookings of a class after a change.
#[derive(Debug, Object, Serialize)]
pub struct ClassBookings {
    /// By seat.
    #[oai(validator(max_items = 500))]
    data: Vec<Booking>,
}

impl From<Vec<bookings::Booking>> for ClassBookings {
    fn from(bookings: Vec<bookings::Booking>) -> Self {
        Self { data: bookings.into_iter().map(Booking::from).collect() }
    }
}
