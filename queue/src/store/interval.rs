//! Durations as bind parameters.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

/// A duration as a bind parameter, to the microsecond.
pub(crate) fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
