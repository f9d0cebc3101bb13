//! Ranges of dates and instants in query strings.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use punctual_core::calendar::Span;

use crate::http::problem::{Place, Problem};

/// Longest range of a list, in days.
const MAX_DAYS: i64 = 366;

/// Checks a range of dates, both included.
pub fn dates(from: NaiveDate, to: NaiveDate) -> Result<(), Problem> {
    check(to - from, MAX_DAYS - 1)
}

/// A range of instants, the end exclusive.
pub fn instants(from: DateTime<FixedOffset>, to: DateTime<FixedOffset>) -> Result<Span, Problem> {
    check(to - from, MAX_DAYS)?;
    Span::new(from.to_utc(), to.to_utc()).ok_or_else(reversed)
}

fn check(length: TimeDelta, days: i64) -> Result<(), Problem> {
    if length < TimeDelta::zero() {
        Err(reversed())
    } else if length > TimeDelta::days(days) {
        Err(Problem::invalid_at(Place::Query, "/to", "range_too_long", "a range has at most 366 days"))
    } else {
        Ok(())
    }
}

fn reversed() -> Problem {
    Problem::invalid_at(Place::Query, "/to", "range_reversed", "must not be before from")
}
