//! Periodic jobs, enqueued by the leader.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::job::Job;

type MakeJob = Arc<dyn Fn(DateTime<Utc>) -> Result<Job> + Send + Sync>;

/// A job for each tick of a period. Ticks are whole multiples of the period since 1970 (UTC). A tick enqueues at most one
/// job, also across leaders. Of the ticks missed while no worker ran, only the last is enqueued.
#[derive(Clone)]
pub struct Periodic {
    pub(crate) name: &'static str,
    pub(crate) every: Duration,
    pub(crate) make: MakeJob,
}

impl std::fmt::Debug for Periodic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Periodic")
            .field("name", &self.name)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

impl Periodic {
    /// Enqueues the job that `make` returns for each tick, `every` apart (at least 1 s). The name is unique in the database.
    pub fn every(
        name: &'static str,
        every: Duration,
        make: impl Fn(DateTime<Utc>) -> Result<Job> + Send + Sync + 'static,
    ) -> Self {
        Self { name, every: every.max(Duration::from_secs(1)), make: Arc::new(make) }
    }

    /// The last tick at or before `now`.
    pub(crate) fn tick(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let every = i64::try_from(self.every.as_micros()).unwrap_or(i64::MAX);
        let micros = now.timestamp_micros();
        DateTime::from_timestamp_micros(micros - micros.rem_euclid(every)).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing_payload::Nothing;

    #[test]
    fn a_tick_is_the_last_whole_multiple_of_the_period() {
        let periodic = Periodic::every("hourly", Duration::from_hours(1), |_| Job::new(&Nothing {}));
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        assert_eq!(periodic.tick(at("2027-05-04T10:59:59.999Z")), at("2027-05-04T10:00:00Z"));
        assert_eq!(periodic.tick(at("2027-05-04T11:00:00Z")), at("2027-05-04T11:00:00Z"));
        assert_eq!(periodic.tick(at("1969-12-31T23:30:00Z")), at("1969-12-31T23:00:00Z"));
    }
}
