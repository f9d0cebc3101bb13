//! The starts of a series, in civil time.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::civil::local_to_instants;
use crate::types::Zone;

/// The interval between two occurrences of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// This many days.
    Days(u16),
    /// This many weeks.
    Weeks(u16),
    /// The same day of the month this many months later; the last day of a month that has no such day.
    Months(u16),
}

impl Every {
    /// The date of an occurrence: `date` is that of the first, `index` counts from 0. Each is computed from the first, so a
    /// series that begins on the 31st returns to it after a shorter month. The maximum date where there is no such date.
    #[must_use]
    pub fn date(self, date: NaiveDate, index: u16) -> NaiveDate {
        let times = |n: u16| u32::from(n) * u32::from(index);
        let found = match self {
            Self::Days(n) => date.checked_add_days(Days::new(times(n).into())),
            Self::Weeks(n) => date.checked_add_days(Days::new(u64::from(times(n)) * 7)),
            Self::Months(n) => date.checked_add_months(Months::new(times(n))),
        };
        found.unwrap_or(NaiveDate::MAX)
    }
}

/// The starts of a series: the first at `start`, the others at the same wall-clock time of later dates. A time that a date
/// skips is the instant at which clocks go forward; of a time that a date has twice it is the first (time rule 2).
#[must_use]
pub fn occurrences(zone: Zone, start: DateTime<Utc>, every: Every, count: u16) -> Vec<DateTime<Utc>> {
    let wall = zone.wall(start);
    let later = (1..count)
        .map(|index| local_to_instants(zone, every.date(wall.date(), index).and_time(wall.time())).first);
    std::iter::once(start).chain(later).collect()
}

/// The start of an occurrence after its series was moved by this many days to this time of day; as in [`occurrences`].
#[must_use]
pub fn moved_occurrence(zone: Zone, start: DateTime<Utc>, by: TimeDelta, time: NaiveTime) -> DateTime<Utc> {
    let date = zone.wall(start).date().checked_add_signed(by).unwrap_or(NaiveDate::MAX);
    local_to_instants(zone, date.and_time(time)).first
}
