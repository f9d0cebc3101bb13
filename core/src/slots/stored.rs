//! Conversion of hours from and to their columns: minutes of the civil day and ISO 8601 weekdays.

use chrono::{NaiveDate, Weekday};

use crate::calendar::{CivilTime, DayWindow, Span, local_to_instants};
use crate::types::Zone;
use crate::{Error, Result};

/// A window from its columns.
pub(crate) fn stored_window(opens: i16, closes: i16) -> Result<DayWindow> {
    let minutes = |stored: i16| {
        CivilTime::from_minutes(stored.unsigned_abs())
            .map_err(|error| Error::internal("hours hold a bad time", error))
    };
    DayWindow::new(minutes(opens)?, minutes(closes)?)
        .map_err(|error| Error::internal("hours hold a bad window", error))
}

/// A time of day from its column.
pub(crate) fn stored_time(minutes: i16) -> Result<CivilTime> {
    CivilTime::from_minutes(minutes.unsigned_abs())
        .map_err(|error| Error::internal("a time of day is out of range", error))
}

/// Part of a date from its columns; none if it lies in a gap.
pub(crate) fn stored_part(zone: Zone, date: NaiveDate, from: i16, to: i16) -> Result<Option<Span>> {
    let from = local_to_instants(zone, stored_time(from)?.on(date)).first;
    Ok(Span::new(from, local_to_instants(zone, stored_time(to)?.on(date)).last))
}

/// The columns of a window: opening and closing.
pub(crate) fn minutes_to_store(window: DayWindow) -> (i16, i16) {
    // A civil time is at most 1440, so the cast does not wrap.
    (window.opens().minutes().cast_signed(), window.closes().minutes().cast_signed())
}

/// The weekday of an ISO 8601 number, 1 Monday to 7 Sunday.
pub(crate) fn iso_weekday(number: i16) -> Result<Weekday> {
    u8::try_from(number - 1)
        .ok()
        .and_then(|from_monday| Weekday::try_from(from_monday).ok())
        .ok_or_else(|| Error::internal("hours hold a bad weekday", number.to_string()))
}

/// The ISO 8601 number of a weekday.
pub(crate) fn iso_number(weekday: Weekday) -> i16 {
    weekday as i16 + 1
}
