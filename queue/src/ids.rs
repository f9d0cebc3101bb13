//! Ids of jobs, and the `UUIDv7` values that a process makes.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

/// Id of a stored job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A new `UUIDv7` (RFC 9562) with the timestamp `now`. Ids of one process sort by creation time, to the millisecond.
#[must_use]
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_sort_by_time() {
        let now = DateTime::from_timestamp(1_800_000_000, 5_000_000).unwrap();
        let (first, second) = (new_id(now), new_id(now + chrono::TimeDelta::milliseconds(1)));
        assert!(first < second);
        assert_ne!(new_id(now), new_id(now));
        assert_eq!(first.get_version_num(), 7);
    }
}
