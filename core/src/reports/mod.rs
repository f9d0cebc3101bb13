//! Figures of the business.

mod month;

pub use month::{BookingCounts, MonthReport, StaffReport, month};
