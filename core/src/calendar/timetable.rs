//! The timetable of a member of staff: when classes of services start.

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use uuid::Uuid;

use super::CivilTime;

/// How long a class lasts and what is kept free around it, by the service as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassLength {
    /// Duration in elapsed minutes.
    pub minutes: u32,
    /// Minutes kept free before it.
    pub before: u32,
    /// Minutes kept free after it.
    pub after: u32,
}

/// A class of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeeklyClass {
    /// The service.
    pub service_id: Uuid,
    /// The day on which it starts.
    pub weekday: Weekday,
    /// Its start, before `24:00`.
    pub start: CivilTime,
    /// First date on which it can take place.
    pub valid_from: NaiveDate,
    /// Last date, included; none: without end.
    pub valid_until: Option<NaiveDate>,
    /// Its length.
    pub length: ClassLength,
}

/// A start that differs from the weekly ones: a class that was called off, or one in addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassDate {
    /// The service.
    pub service_id: Uuid,
    /// The start.
    pub start: DateTime<Utc>,
    /// Whether the class takes place.
    pub takes_place: bool,
    /// Its length.
    pub length: ClassLength,
}

/// The classes of one member of staff.
#[derive(Debug, Clone, Default)]
pub struct Timetable {
    /// Those of every week.
    pub weekly: Vec<WeeklyClass>,
    /// Starts that differ.
    pub dates: Vec<ClassDate>,
}

impl WeeklyClass {
    /// Whether it takes place on this date.
    pub(super) fn is_on(&self, date: NaiveDate) -> bool {
        self.weekday == date.weekday()
            && self.valid_from <= date
            && self.valid_until.is_none_or(|last| date <= last)
    }
}

impl Timetable {
    /// Whether this start was called off.
    pub(super) fn is_called_off(&self, service_id: Uuid, start: DateTime<Utc>) -> bool {
        self.dates
            .iter()
            .any(|date| !date.takes_place && date.service_id == service_id && date.start == start)
    }

    /// Whether nothing is planned.
    pub(super) fn is_empty(&self) -> bool {
        self.weekly.is_empty() && self.dates.is_empty()
    }
}
