//! The queue's statements, each in one place with the plan it must have.

pub(crate) mod claim;
pub(crate) mod control;
pub(crate) mod ended;
pub(crate) mod leader;
pub(crate) mod list;
pub(crate) mod promote;
pub(crate) mod prune;
pub(crate) mod rescue;
mod row;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod settle;
pub(crate) mod ticks;
pub(crate) mod unknown;

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

/// A duration as a bind parameter, kept to the microsecond.
pub(crate) fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
