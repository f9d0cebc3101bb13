//! Converts between wall-clock times and instants. No other code does.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::types::Zone;

/// A wall-clock time of a civil day to the minute, `00:00` to `24:00`; the latter is the next day's `00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CivilTime(u16);

/// The text or number is not a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of day is HH:MM, 00:00 to 24:00")]
pub struct CivilTimeError;

impl CivilTime {
    /// `00:00`.
    pub const MIDNIGHT: Self = Self(0);
    /// `24:00`, the end of the day.
    pub const END_OF_DAY: Self = Self(24 * 60);

    /// The time this many minutes after `00:00`, at most 1440.
    pub fn from_minutes(minutes: u16) -> Result<Self, CivilTimeError> {
        if minutes <= Self::END_OF_DAY.0 { Ok(Self(minutes)) } else { Err(CivilTimeError) }
    }

    /// Minutes since `00:00`.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// This time on that date, as a wall-clock reading; `24:00` reads `00:00` of the next date.
    #[must_use]
    pub fn on(self, date: NaiveDate) -> NaiveDateTime {
        date.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(self.0))
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for CivilTime {
    type Err = CivilTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let &[h1, h2, b':', m1, m2] = text.as_bytes() else { return Err(CivilTimeError) };
        let digit =
            |byte: u8| if byte.is_ascii_digit() { Ok(u16::from(byte - b'0')) } else { Err(CivilTimeError) };
        let (hours, minutes) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
        if minutes > 59 {
            return Err(CivilTimeError);
        }
        Self::from_minutes(hours * 60 + minutes)
    }
}

impl TryFrom<String> for CivilTime {
    type Error = CivilTimeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CivilTime> for String {
    fn from(time: CivilTime) -> Self {
        time.to_string()
    }
}

/// The instants of a wall-clock time. In a repeated hour there are two. In a gap both are the end of the gap. Otherwise
/// they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalInstants {
    /// First occurrence: used for an opening.
    pub first: DateTime<Utc>,
    /// Last occurrence: used for a closing.
    pub last: DateTime<Utc>,
}

/// The instants of a wall-clock reading in a zone (time rule 2).
#[must_use]
pub fn local_to_instants(zone: Zone, reading: NaiveDateTime) -> LocalInstants {
    let under = |offset: Offset| (reading - TimeDelta::seconds(offset.seconds().into())).and_utc();
    let (first, last) = match offsets(zone.rules(), reading) {
        AmbiguousOffset::Unambiguous { offset } => (under(offset), under(offset)),
        AmbiguousOffset::Fold { before, after } => (under(before), under(after)),
        AmbiguousOffset::Gap { after, .. } => {
            let transition = transition(zone.rules(), under(after), after).unwrap_or_else(|| under(after));
            (transition, transition)
        }
    };
    LocalInstants { first, last }
}

/// The offsets at which the wall-clock time exists; UTC's for a year out of range.
fn offsets(rules: &TimeZone, reading: NaiveDateTime) -> AmbiguousOffset {
    civil_reading(reading).map_or(AmbiguousOffset::Unambiguous { offset: Offset::UTC }, |reading| {
        rules.to_ambiguous_timestamp(reading).offset()
    })
}

fn civil_reading(reading: NaiveDateTime) -> Option<civil::DateTime> {
    let part = |number: u32| i8::try_from(number).ok();
    let date =
        civil::Date::new(reading.year().try_into().ok()?, part(reading.month())?, part(reading.day())?);
    let time = civil::Time::new(part(reading.hour())?, part(reading.minute())?, part(reading.second())?, 0);
    Some(date.ok()?.to_datetime(time.ok()?))
}

/// The instant after the given one at which clocks change to that offset.
fn transition(rules: &TimeZone, after: DateTime<Utc>, offset: Offset) -> Option<DateTime<Utc>> {
    let after = jiff::Timestamp::from_second(after.timestamp()).ok()?;
    let change = rules.following(after).find(|change| change.offset() == offset)?;
    DateTime::from_timestamp(change.timestamp().as_second(), 0)
}

/// The first instant of a civil date in a zone; for a skipped date, the instant of the transition.
#[must_use]
pub fn day_start(zone: Zone, date: NaiveDate) -> DateTime<Utc> {
    local_to_instants(zone, date.and_time(NaiveTime::MIN)).first
}

/// The civil date that calendars in the zone show at an instant.
#[must_use]
pub fn local_date(zone: Zone, instant: DateTime<Utc>) -> NaiveDate {
    zone.at(instant).date_naive()
}

/// The next date, or the maximum date.
#[must_use]
pub fn after_date(date: NaiveDate) -> NaiveDate {
    plus_days(date, 1)
}

/// The date this many days later, or the maximum date.
pub(super) fn plus_days(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// The date this many days earlier, or the minimum date.
pub(super) fn minus_days(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}
