use chrono::{DateTime, FixedOffset, NaiveDate};
use poem_openapi::Object;
use punctual_core::{calendar, hours};
use serde::Serialize;
use uuid::Uuid;

use super::Status;
use super::described::{described, described_enum};
use crate::http::values::{ReasonText, TimeOfDay};

/// A window of a usual week.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "WeeklyWindow")]
pub struct Window {
    /// Day on which it opens: 1 is Monday, 7 is Sunday (ISO 8601).
    #[oai(validator(minimum(value = "1"), maximum(value = "7")))]
    pub weekday: u32,
    /// Opening, `00:00` to `23:59` in the business's zone.
    pub start: TimeOfDay,
    /// Closing, up to `24:00`; if not after the opening, on the next day.
    pub end: TimeOfDay,
}

/// A window of one date.
#[derive(Debug, Object, Serialize)]
pub struct DayWindow {
    /// Opening, `00:00` to `23:59` in the business's zone.
    pub start: TimeOfDay,
    /// Closing, up to `24:00`; if not after the opening, on the next day.
    pub end: TimeOfDay,
}

/// The hours of one date instead of the weekly hours.
#[derive(Debug, Object, Serialize)]
pub struct DateOverride {
    /// The date, in the business's time zone.
    pub date: NaiveDate,
    /// Its windows by opening; empty: closed that day.
    #[oai(validator(max_items = 12))]
    pub windows: Vec<DayWindow>,
}

/// A time at which a member of staff is away.
#[derive(Debug, Object, Serialize)]
pub struct TimeOff {
    /// Its id.
    pub id: Uuid,
    /// Who is away.
    pub staff_id: Uuid,
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End, exclusive.
    pub end: DateTime<FixedOffset>,
    /// Reason, for staff.
    pub reason: ReasonText,
}

/// A date on which the whole business is closed, all day or for a part of it.
#[derive(Debug, Object, Serialize)]
pub struct Closure {
    /// The date, in the business's time zone.
    pub date: NaiveDate,
    /// Closed from this time of day on; absent: all day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<TimeOfDay>,
    /// Closed until this time of the same day; absent: all day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<TimeOfDay>,
    /// Reason; shown to staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonText>,
}

/// Bookings that no longer fit after a change.
#[derive(Debug, Object, Serialize)]
pub struct StrandedBookings {
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    pub stranded: Vec<StrandedBooking>,
}

described! {
    /// A stranded booking of core, as it serialises.
    StrandedBooking(hours::StrandedBooking) by StrandedBookingObject
}
described_enum! {
    /// Why a booking is stranded.
    StrandedReason(hours::StrandedReason) as "StrandedReason"
}

/// A hold or booking that no longer fits the current calendar.
#[derive(Debug, Object)]
#[oai(rename = "StrandedBooking")]
pub struct StrandedBookingObject {
    /// The booking.
    pub booking_id: Uuid,
    /// What was booked.
    pub service_id: Uuid,
    /// Member of staff.
    pub staff_id: Uuid,
    /// Status.
    pub status: Status,
    /// When it starts.
    pub start: DateTime<FixedOffset>,
    /// When it ends.
    pub end: DateTime<FixedOffset>,
    /// Why it is stranded.
    #[oai(validator(max_items = 5))]
    pub reasons: Vec<StrandedReason>,
}

impl From<calendar::WeeklyWindow> for Window {
    fn from(weekly: calendar::WeeklyWindow) -> Self {
        Self {
            weekday: weekly.weekday.number_from_monday(),
            start: TimeOfDay(weekly.window.opens()),
            end: TimeOfDay(weekly.window.closes()),
        }
    }
}

impl From<hours::DateOverride> for DateOverride {
    fn from(own: hours::DateOverride) -> Self {
        let window = |window: calendar::DayWindow| DayWindow {
            start: TimeOfDay(window.opens()),
            end: TimeOfDay(window.closes()),
        };
        Self { date: own.date, windows: own.windows.into_iter().map(window).collect() }
    }
}

impl From<hours::TimeOff> for TimeOff {
    fn from(time_off: hours::TimeOff) -> Self {
        Self {
            id: time_off.id,
            staff_id: time_off.staff_id,
            start: time_off.start,
            end: time_off.end,
            reason: ReasonText(time_off.reason),
        }
    }
}

impl Closure {
    /// As staff see it, or as everybody does.
    #[must_use]
    pub fn new(closure: hours::Closure, for_staff: bool) -> Self {
        Self {
            date: closure.date,
            start: closure.hours.map(|(start, _)| TimeOfDay(start)),
            end: closure.hours.map(|(_, end)| TimeOfDay(end)),
            reason: for_staff.then_some(ReasonText(closure.reason)),
        }
    }
}
