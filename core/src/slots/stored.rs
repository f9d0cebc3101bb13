//! Conversion of hours from and to their columns: minutes of the civil day and ISO 8601 weekdays.

use chrono::Weekday;

use crate::calendar::{CivilTime, DayWindow};
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
