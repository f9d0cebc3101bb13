use poem_openapi::Object;
use punctual_core::{reports, types::Money};
use serde::Serialize;
use uuid::Uuid;

use crate::http::values::{CurrencyCode, MonthText, TimeZone};

/// The figures of the bookings that start in a month.
#[derive(Debug, Object, Serialize)]
pub struct MonthReport {
    /// The month.
    pub month: MonthText,
    /// The time zone in which it begins and ends.
    pub zone: TimeZone,
    /// All bookings by status.
    pub bookings: BookingCounts,
    /// Promised prices of confirmed and completed bookings, by currency.
    #[oai(validator(max_items = 200))]
    pub revenue: Vec<Amount>,
    /// Each member of staff who is active or has bookings, by name.
    #[oai(validator(max_items = 1000))]
    pub staff: Vec<StaffReport>,
}

/// Bookings by status.
#[derive(Debug, Object, Serialize)]
pub struct BookingCounts {
    /// Pending.
    #[oai(validator(minimum(value = "0")))]
    pub pending: i64,
    /// Confirmed.
    #[oai(validator(minimum(value = "0")))]
    pub confirmed: i64,
    /// Those that took place.
    #[oai(validator(minimum(value = "0")))]
    pub completed: i64,
    /// Those to which the customer did not come.
    #[oai(validator(minimum(value = "0")))]
    pub no_shows: i64,
    /// Those that were cancelled.
    #[oai(validator(minimum(value = "0")))]
    pub cancelled: i64,
    /// Declined.
    #[oai(validator(minimum(value = "0")))]
    pub declined: i64,
}

/// A sum of prices.
#[derive(Debug, Object, Serialize)]
pub struct Amount {
    /// The amount in the currency's minor unit, such as cents.
    #[oai(validator(minimum(value = "0")))]
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: CurrencyCode,
}

/// The figures of one member of staff.
#[derive(Debug, Object, Serialize)]
pub struct StaffReport {
    /// The member of staff.
    pub staff_id: Uuid,
    /// Their name.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// Their bookings by status.
    pub bookings: BookingCounts,
    /// Promised prices of confirmed and completed bookings, by currency.
    #[oai(validator(max_items = 200))]
    pub revenue: Vec<Amount>,
    /// Minutes of their pending, confirmed, completed and missed appointments; a class counts once, buffers do not.
    #[oai(validator(minimum(value = "0")))]
    pub booked_min: i64,
    /// Minutes of their open hours without time off, as the calendar is now. `booked_min` may be more where staff book outside
    /// of them.
    #[oai(validator(minimum(value = "0")))]
    pub open_min: i64,
}

impl From<reports::MonthReport> for MonthReport {
    fn from(report: reports::MonthReport) -> Self {
        Self {
            month: MonthText(report.month),
            zone: TimeZone(report.zone),
            bookings: report.bookings.into(),
            revenue: report.revenue.into_iter().map(Amount::from).collect(),
            staff: report.staff.into_iter().map(StaffReport::from).collect(),
        }
    }
}

impl From<reports::BookingCounts> for BookingCounts {
    fn from(counts: reports::BookingCounts) -> Self {
        let reports::BookingCounts { pending, confirmed, completed, no_shows, cancelled, declined } = counts;
        Self { pending, confirmed, completed, no_shows, cancelled, declined }
    }
}

impl From<reports::StaffReport> for StaffReport {
    fn from(report: reports::StaffReport) -> Self {
        Self {
            staff_id: report.staff_id,
            name: report.name,
            bookings: report.bookings.into(),
            revenue: report.revenue.into_iter().map(Amount::from).collect(),
            booked_min: report.booked_min,
            open_min: report.open_min,
        }
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { minor: money.minor, currency: CurrencyCode(money.currency) }
    }
}
