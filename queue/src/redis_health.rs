//! Reports whether Redis works, once per outage and then every few minutes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};

/// Between log lines of one outage.
const REPEAT: Duration = Duration::from_mins(5);

/// Whether Redis works for one purpose. A failure is logged once, again every five minutes while it lasts, and its end once.
/// Metrics: the gauge `redis_available` and the counter `redis_errors_total`, both with the label `part`.
#[derive(Debug)]
pub struct RedisHealth {
    part: &'static str,
    consequence: &'static str,
    outage: Mutex<Option<Outage>>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    logged_at: Instant,
}

impl RedisHealth {
    /// `part` names the purpose in metrics; `consequence` says in the log what an outage means.
    #[must_use]
    pub const fn new(part: &'static str, consequence: &'static str) -> Self {
        Self { part, consequence, outage: Mutex::new(None) }
    }

    /// Redis answered.
    pub fn answered(&self) {
        let outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner).take();
        gauge!("redis_available", "part" => self.part).set(1.0);
        if let Some(outage) = outage {
            tracing::info!(part = self.part, after = ?outage.since.elapsed(), "Redis works again");
        }
    }

    /// Redis failed or refused a command.
    pub fn failed(&self, error: &dyn std::fmt::Display) {
        counter!("redis_errors_total", "part" => self.part).increment(1);
        gauge!("redis_available", "part" => self.part).set(0.0);
        if self.is_to_be_logged(Instant::now()) {
            tracing::warn!(part = self.part, %error, "Redis does not work: {}", self.consequence);
        }
    }

    fn is_to_be_logged(&self, now: Instant) -> bool {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *outage {
            Some(outage) if now.saturating_duration_since(outage.logged_at) < REPEAT => false,
            Some(outage) => {
                outage.logged_at = now;
                true
            }
            none => {
                *none = Some(Outage { since: now, logged_at: now });
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_logged_once_and_again_every_five_minutes() {
        let (health, start) = (RedisHealth::new("limits", "limits are local"), Instant::now());
        let minutes = [0, 1, 4, 5, 9, 10].map(|minute| start + Duration::from_mins(minute));
        let logged = minutes.map(|at| health.is_to_be_logged(at));
        assert_eq!(logged, [true, false, false, true, false, true]);
        health.answered();
        assert!(health.is_to_be_logged(start), "the next outage is a new one");
    }
}
