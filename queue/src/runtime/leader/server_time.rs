//! Notices steps of Postgres' clock between the leader's rounds.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// A difference above this is a step, not the duration of a round.
const STEP: TimeDelta = TimeDelta::seconds(5);

/// When the clock of Postgres was read last, and when it stepped last.
#[derive(Debug, Default)]
pub(super) struct ServerTime {
    last: Option<(Instant, DateTime<Utc>)>,
    stepped_at: Option<Instant>,
}

impl ServerTime {
    /// Records the clock of Postgres, read just now.
    pub(super) fn record(&mut self, server: DateTime<Utc>) {
        self.record_at(Instant::now(), server);
    }

    fn record_at(&mut self, now: Instant, server: DateTime<Utc>) {
        if let Some((then, before)) = self.last {
            let elapsed = TimeDelta::from_std(now.saturating_duration_since(then)).unwrap_or_default();
            let step = (server - before) - elapsed;
            if step.abs() > STEP {
                tracing::warn!(
                    step_ms = step.num_milliseconds(),
                    "the clock of Postgres stepped: no session is ended for a while"
                );
                self.stepped_at = Some(now);
            }
        }
        self.last = Some((now, server));
    }

    /// Whether the clock has not stepped for this long.
    pub(super) fn is_steady_for(&self, time: Duration) -> bool {
        self.stepped_at.is_none_or(|stepped_at| stepped_at.elapsed() >= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_postgres_clock_ends_no_session_for_a_while() {
        let (start, noon) = (Instant::now(), DateTime::from_timestamp(1_800_014_400, 0).unwrap());
        let mut time = ServerTime::default();
        time.record_at(start, noon);
        time.record_at(start + Duration::from_secs(30), noon + TimeDelta::seconds(33));
        assert!(time.is_steady_for(Duration::from_secs(15)), "a slow round is no step");
        time.record_at(start + Duration::from_secs(31), noon + TimeDelta::days(1));
        assert!(!time.is_steady_for(Duration::from_secs(15)));
    }
}
