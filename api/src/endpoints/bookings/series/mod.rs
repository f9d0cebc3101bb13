//! Series of bookings.

mod cancel;
mod create;
mod get;
mod reschedule;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations =
    (create::CreateSeries, get::GetSeries, cancel::CancelSeries, reschedule::RescheduleSeries);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] =
    &[&create::OPERATION, &get::OPERATION, &cancel::OPERATION, &reschedule::OPERATION];
