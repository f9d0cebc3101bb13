use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use super::DEADLINE;

/// Concurrent requests to one host while it answers.
const IN_FLIGHT: u32 = 4;
/// Deliveries that wait in this process for a request to one host to end, and to all hosts together.
const WAITING_PER_HOST: u32 = 32;
const WAITING: u32 = 64;
/// How long one of them waits.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// The pause of deliveries that find no place to wait, or whose wait timed out.
const FULL_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// The first pause of a host that does not answer; it doubles with each failure.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// The longest pause without `Retry-After`.
const MAX_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// The longest pause that a host may request (`Retry-After`).
const MAX_RETRY_AFTER: TimeDelta = TimeDelta::hours(1);

/// A circuit breaker for each host, so that one that is slow or dead takes no more than a few of the worker's
/// connections. A host that failed gets one request at a time until one succeeds: a probe.
#[derive(Debug, Default)]
pub struct Hosts {
    state: Mutex<State>,
    /// A slot was released.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    hosts: HashMap<String, Host>,
    waiting: u32,
}

#[derive(Debug, Default)]
struct Host {
    in_flight: u32,
    waiting: u32,
    failures: u32,
    open_until: Option<DateTime<Utc>>,
    /// The deadline of the probe under way.
    probe_until: Option<DateTime<Utc>>,
}

/// Permission to send one request to a host; dropping it without a result counts neither for nor against the host.
#[derive(Debug)]
pub struct Slot {
    hosts: Arc<Hosts>,
    host: String,
}

/// The answer to a delivery that requests a slot.
enum Acquired {
    Granted,
    Busy,
    Until(DateTime<Utc>),
}

impl Hosts {
    /// Permission to send, after a short wait if the host is busy; or when to try again.
    pub async fn acquire(
        self: &Arc<Self>,
        host: &str,
        clock: impl Fn() -> DateTime<Utc>,
    ) -> Result<Slot, DateTime<Utc>> {
        self.acquire_within(MAX_WAIT, host, clock).await
    }

    async fn acquire_within(
        self: &Arc<Self>,
        wait: Duration,
        host: &str,
        clock: impl Fn() -> DateTime<Utc>,
    ) -> Result<Slot, DateTime<Utc>> {
        let host = host.to_ascii_lowercase();
        let deadline = tokio::time::Instant::now() + wait;
        let mut place = None;
        loop {
            // Subscribes before it checks, so that no release is missed.
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            match self.try_acquire(&host, clock()) {
                Acquired::Granted => return Ok(Slot { hosts: Arc::clone(self), host }),
                Acquired::Until(until) => return Err(until),
                Acquired::Busy => {}
            }
            if place.is_none() {
                place = Some(self.wait_place(&host).ok_or_else(|| self.busy_until(&host, clock()))?);
            }
            if tokio::time::timeout_at(deadline, freed).await.is_err() {
                return Err(self.busy_until(&host, clock()));
            }
        }
    }

    fn try_acquire(&self, host: &str, now: DateTime<Utc>) -> Acquired {
        let mut state = self.lock();
        let entry = state.hosts.entry(host.to_owned()).or_default();
        if let Some(until) = entry.open_until.filter(|until| *until > now) {
            return Acquired::Until(until);
        }
        let limit = if entry.failures > 0 { 1 } else { IN_FLIGHT };
        if entry.in_flight >= limit {
            return Acquired::Busy;
        }
        entry.probe_until = (entry.failures > 0).then(|| now + DEADLINE);
        entry.in_flight += 1;
        Acquired::Granted
    }

    /// When to try a busy host again. While it is probed, not before the probe's deadline: trying each second, the
    /// deliveries of 100 dead hosts delayed all others by seconds.
    fn busy_until(&self, host: &str, now: DateTime<Utc>) -> DateTime<Utc> {
        let probe_until = self.lock().hosts.get(host).and_then(|host| host.probe_until);
        probe_until.unwrap_or(now).max(now + FULL_PAUSE)
    }

    /// A place to wait for a host that is busy; `None` when all are taken.
    fn wait_place(self: &Arc<Self>, host: &str) -> Option<Place> {
        let mut state = self.lock();
        let State { hosts, waiting } = &mut *state;
        let entry = hosts.entry(host.to_owned()).or_default();
        if entry.waiting >= WAITING_PER_HOST || *waiting >= WAITING {
            return None;
        }
        entry.waiting += 1;
        *waiting += 1;
        Some(Place { hosts: Arc::clone(self), host: host.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, host: &str, change: impl FnOnce(&mut Host)) {
        let mut state = self.lock();
        if let Some(entry) = state.hosts.get_mut(host) {
            change(entry);
            if entry.in_flight == 0 && entry.waiting == 0 && entry.failures == 0 {
                state.hosts.remove(host);
            }
        }
    }
}

/// A delivery that waits.
struct Place {
    hosts: Arc<Hosts>,
    host: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hosts.change(&self.host, |host| host.waiting -= 1);
        self.hosts.lock().waiting -= 1;
    }
}

impl Slot {
    /// The host answered.
    pub fn succeeded(self) {
        self.hosts.change(&self.host, |host| (host.failures, host.open_until) = (0, None));
    }

    /// The host did not answer, or is overloaded, possibly with `Retry-After`.
    pub fn failed(self, now: DateTime<Utc>, asked: Option<TimeDelta>) {
        self.hosts.change(&self.host, |host| {
            let asked = asked.unwrap_or_default().clamp(TimeDelta::zero(), MAX_RETRY_AFTER);
            let open = host.open_until.filter(|until| *until > now);
            // Concurrent requests count as one failure.
            let pause = if open.is_none() {
                host.failures = host.failures.saturating_add(1);
                (FIRST_PAUSE * 2_i32.pow(host.failures.min(8) - 1)).min(MAX_PAUSE)
            } else {
                TimeDelta::zero()
            };
            host.open_until = open.max(Some(now + pause.max(asked)));
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.hosts.change(&self.host, |host| {
            host.in_flight -= 1;
            // The probe was the only request.
            if host.in_flight == 0 {
                host.probe_until = None;
            }
        });
        self.hosts.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    const WAIT: Duration = Duration::from_millis(200);

    async fn acquire(hosts: &Arc<Hosts>, host: &str, seconds: i64) -> Result<Slot, DateTime<Utc>> {
        hosts.acquire_within(WAIT, host, || at(seconds)).await
    }

    /// Concurrent requests of one host.
    async fn all_slots(hosts: &Arc<Hosts>) -> Vec<Slot> {
        let mut slots = Vec::new();
        for _ in 0..IN_FLIGHT {
            slots.push(acquire(hosts, "a", 0).await.unwrap());
        }
        slots
    }

    fn is_forgotten(hosts: &Hosts) -> bool {
        let state = hosts.lock();
        state.hosts.is_empty() && state.waiting == 0
    }

    #[tokio::test]
    async fn a_host_that_answers_gets_a_few_requests_at_a_time_and_leaves_no_trace() {
        let hosts = Arc::new(Hosts::default());
        let mut slots = all_slots(&hosts).await;
        let waiting = tokio::spawn({
            let hosts = Arc::clone(&hosts);
            async move { acquire(&hosts, "A", 0).await }
        });
        assert!(acquire(&hosts, "b", 0).await.is_ok(), "another host has its own");
        assert!(!waiting.is_finished());
        slots.pop().unwrap().succeeded();
        waiting.await.unwrap().unwrap().succeeded();
        slots.into_iter().for_each(Slot::succeeded);
        assert!(is_forgotten(&hosts));
    }

    #[tokio::test]
    async fn few_deliveries_wait_and_none_for_long() {
        let hosts = Arc::new(Hosts::default());
        let slots = all_slots(&hosts).await;
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..WAITING_PER_HOST {
            let hosts = Arc::clone(&hosts);
            waiting.spawn(async move { acquire(&hosts, "a", 0).await.unwrap_err() });
        }
        while hosts.lock().waiting < WAITING_PER_HOST {
            tokio::task::yield_now().await;
        }
        // No place to wait: answered at once, however long the others wait.
        let asked = hosts.acquire_within(MAX_WAIT, "a", || at(0));
        assert_eq!(tokio::time::timeout(MAX_WAIT / 2, asked).await.unwrap().unwrap_err(), at(0) + FULL_PAUSE);
        assert!(waiting.join_all().await.iter().all(|until| *until == at(0) + FULL_PAUSE));
        slots.into_iter().for_each(Slot::succeeded);
        assert!(is_forgotten(&hosts));
    }

    #[tokio::test]
    async fn requests_that_fail_together_pause_a_host_once_and_those_that_wait_too() {
        let hosts = Arc::new(Hosts::default());
        let slots = all_slots(&hosts).await;
        let waiting = tokio::spawn({
            let hosts = Arc::clone(&hosts);
            async move { acquire(&hosts, "a", 0).await }
        });
        for slot in slots {
            slot.failed(at(0), None);
        }
        assert_eq!(waiting.await.unwrap().unwrap_err(), at(0) + FIRST_PAUSE);
        assert_eq!(acquire(&hosts, "a", 1).await.unwrap_err(), at(0) + FIRST_PAUSE);
    }

    #[tokio::test]
    async fn a_host_that_fails_is_probed_by_one_request_after_growing_pauses() {
        let hosts = Arc::new(Hosts::default());
        acquire(&hosts, "a", 0).await.unwrap().failed(at(0), None);
        assert_eq!(acquire(&hosts, "a", 4).await.unwrap_err(), at(5));
        let probe = acquire(&hosts, "a", 5).await.unwrap();
        let late = acquire(&hosts, "a", 5).await.unwrap_err();
        assert_eq!(late, at(5) + DEADLINE, "one probe at a time; the others come after its end");
        probe.failed(at(5), None);
        assert_eq!(acquire(&hosts, "a", 6).await.unwrap_err(), at(15));
        acquire(&hosts, "a", 15).await.unwrap().failed(at(15), Some(TimeDelta::days(1)));
        assert_eq!(acquire(&hosts, "a", 16).await.unwrap_err(), at(15) + MAX_RETRY_AFTER);
        hosts.acquire("a", || at(15) + MAX_RETRY_AFTER).await.unwrap().succeeded();
        assert!(is_forgotten(&hosts));
    }
}
