//! A rate limit.

use std::time::Duration;

/// At most `count` job starts per period, with a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Jobs per period, at least 1.
    pub count: u32,
    /// The period.
    pub per: Duration,
    /// How many may start at once after an idle time, at least 1.
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

    /// How many may start at once after an idle time.
    #[must_use]
    pub const fn burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// From the columns of `queue.queues`; `None` unless all are set.
    pub(crate) fn from_row(count: Option<i32>, per_ms: Option<i32>, burst: Option<i32>) -> Option<Self> {
        Some(Self {
            count: u32::try_from(count?).ok()?,
            per: Duration::from_millis(u64::try_from(per_ms?).ok()?),
            burst: u32::try_from(burst?).ok()?,
        })
    }
}
