//! Limits of how many jobs start in a time, over all workers.

mod gcra;
mod limiter;

use std::time::Duration;

pub(crate) use limiter::Limiter;

/// So many jobs in a period, with a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Jobs per period, at least 1.
    pub count: u32,
    /// The period.
    pub per: Duration,
    /// How many may start at once after a pause, at least 1.
    pub burst: u32,
}

impl Limit {
    /// `count` jobs each second, one at a time.
    #[must_use]
    pub const fn per_second(count: u32) -> Self {
        Self { count, per: Duration::from_secs(1), burst: 1 }
    }

    /// `count` jobs each minute, one at a time.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self { count, per: Duration::from_mins(1), burst: 1 }
    }

    /// How many may start at once after a pause.
    #[must_use]
    pub const fn burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// From the columns in which it was set at run time.
    pub(crate) fn from_row(count: Option<i32>, per_ms: Option<i32>, burst: Option<i32>) -> Option<Self> {
        Some(Self {
            count: u32::try_from(count?).ok()?,
            per: Duration::from_millis(u64::try_from(per_ms?).ok()?),
            burst: u32::try_from(burst?).ok()?,
        })
    }
}
