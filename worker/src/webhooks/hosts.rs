use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Requests to one host at a time, while it answers: a hundred dead hosts leave a fifth of the places to the others.
const IN_FLIGHT: u32 = 2;
/// How long a delivery waits for another one to the same host to end.
const BUSY: TimeDelta = TimeDelta::milliseconds(500);
/// The first pause of a host that does not answer; it doubles with each failure.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// The longest pause of our own choice.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// The longest pause that a host may ask for (`Retry-After`).
const LONGEST_ASKED: TimeDelta = TimeDelta::hours(1);

/// A circuit breaker for each host, so that one that is slow or dead takes no more than a few of the worker's
/// connections. A host that failed gets one request at a time until one succeeds.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<HashMap<String, Host>>);

#[derive(Debug, Default)]
struct Host {
    in_flight: u32,
    failures: u32,
    open_until: Option<DateTime<Utc>>,
}

/// Leave to send one request to a host; dropping it without a verdict counts neither for nor against the host.
#[derive(Debug)]
pub struct Slot {
    hosts: Arc<Hosts>,
    host: String,
}

impl Hosts {
    /// Leave to send, or when to ask again.
    pub fn acquire(self: &Arc<Self>, host: &str, now: DateTime<Utc>) -> Result<Slot, DateTime<Utc>> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = hosts.entry(host.to_owned()).or_default();
        if let Some(until) = entry.open_until.filter(|until| *until > now) {
            return Err(until);
        }
        let most = if entry.failures > 0 { 1 } else { IN_FLIGHT };
        if entry.in_flight >= most {
            return Err(now + BUSY);
        }
        entry.in_flight += 1;
        Ok(Slot { hosts: Arc::clone(self), host: host.to_owned() })
    }
}

impl Slot {
    /// The host answered.
    pub fn succeeded(self) {
        self.change(|host| (host.failures, host.open_until) = (0, None));
    }

    /// The host did not answer, or said that it is overloaded and, maybe, for how long.
    pub fn failed(self, now: DateTime<Utc>, asked: Option<TimeDelta>) {
        self.change(|host| {
            let asked = asked.unwrap_or_default().clamp(TimeDelta::zero(), LONGEST_ASKED);
            let open = host.open_until.filter(|until| *until > now);
            // Requests that were under way together count as one failure.
            let pause = if open.is_none() {
                host.failures = host.failures.saturating_add(1);
                (FIRST_PAUSE * 2_i32.pow(host.failures.min(8) - 1)).min(LONGEST_PAUSE)
            } else {
                TimeDelta::zero()
            };
            host.open_until = open.max(Some(now + pause.max(asked)));
        });
    }

    fn change(&self, change: impl FnOnce(&mut Host)) {
        let mut hosts = self.hosts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get_mut(&self.host) {
            change(host);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut hosts = self.hosts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get_mut(&self.host) {
            host.in_flight -= 1;
            if host.in_flight == 0 && host.failures == 0 {
                hosts.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_host_that_answers_gets_a_few_requests_at_a_time_and_leaves_no_trace() {
        let hosts = Arc::new(Hosts::default());
        let slots: Vec<_> = (0..IN_FLIGHT).map(|_| hosts.acquire("a", at(0)).unwrap()).collect();
        assert_eq!(hosts.acquire("a", at(0)).unwrap_err(), at(0) + BUSY);
        assert!(hosts.acquire("b", at(0)).is_ok(), "another host has its own");
        slots.into_iter().for_each(Slot::succeeded);
        assert!(hosts.0.lock().unwrap().is_empty());
    }

    #[test]
    fn requests_that_fail_together_pause_a_host_once() {
        let hosts = Arc::new(Hosts::default());
        let slots: Vec<_> = (0..IN_FLIGHT).map(|_| hosts.acquire("a", at(0)).unwrap()).collect();
        slots.into_iter().for_each(|slot| slot.failed(at(0), None));
        assert_eq!(hosts.acquire("a", at(1)).unwrap_err(), at(0) + FIRST_PAUSE);
    }

    #[test]
    fn a_host_that_fails_is_probed_by_one_request_after_growing_pauses() {
        let hosts = Arc::new(Hosts::default());
        hosts.acquire("a", at(0)).unwrap().failed(at(0), None);
        assert_eq!(hosts.acquire("a", at(4)).unwrap_err(), at(5));
        let probe = hosts.acquire("a", at(5)).unwrap();
        assert!(hosts.acquire("a", at(5)).is_err(), "one probe at a time");
        probe.failed(at(5), None);
        assert_eq!(hosts.acquire("a", at(6)).unwrap_err(), at(15));
        hosts.acquire("a", at(15)).unwrap().failed(at(15), Some(TimeDelta::days(1)));
        assert_eq!(hosts.acquire("a", at(16)).unwrap_err(), at(15) + LONGEST_ASKED);
        hosts.acquire("a", at(15) + LONGEST_ASKED).unwrap().succeeded();
        assert!(hosts.0.lock().unwrap().is_empty());
    }
}
