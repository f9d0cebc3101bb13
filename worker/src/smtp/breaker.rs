//! The relay's circuit breaker. While it is open, mails wait without connecting; one probe at a time tests the relay.
//!
//! A relay can also fail for one recipient only, with 421 or silence at RCPT or later. Such a failure counts against the
//! mail, which is tried again with backoff; it counts against the relay only if another recipient has failed so since
//! the last success. So one recipient can neither open the circuit nor keep it open.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::SharedClock;

/// Consecutive failures that open the circuit.
const THRESHOLD: u32 = 3;
/// How long a mail waits after a failure of the relay, and how long the circuit stays open the first time.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// The longest time the circuit stays open between probes.
const MAX_WAIT: Duration = Duration::from_mins(10);
/// How long other mails wait while a probe runs.
const PROBE_WAIT: Duration = Duration::from_secs(15);
/// Recipients that are remembered as failed.
const MAX_SUSPECTS: usize = 16;

#[derive(Debug, Clone, Copy)]
enum State {
    /// Mails may connect. Counts consecutive failures.
    Closed { failures: u32 },
    /// No mail may connect before `until`. Counts consecutive openings.
    Open { until: DateTime<Utc>, openings: i32 },
    /// One mail is testing the relay (half-open).
    Probing { openings: i32 },
}

impl State {
    fn openings(self) -> i32 {
        match self {
            Self::Closed { .. } => 0,
            Self::Open { openings, .. } | Self::Probing { openings } => openings,
        }
    }
}

struct Inner {
    state: State,
    /// Recipients whose mails failed at RCPT or later since the last success.
    suspects: Vec<String>,
}

/// The breaker. Clones share its state.
#[derive(Clone)]
pub struct Breaker {
    inner: Arc<Mutex<Inner>>,
    clock: SharedClock,
}

/// What a failure of the relay means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// When to try the mail again.
    pub retry_at: DateTime<Utc>,
    /// Set if the failure opened the circuit: number of consecutive openings.
    pub openings: Option<i32>,
}

/// Permission to use the relay for one mail. If dropped without a result, it does not count.
#[must_use]
pub struct Permit {
    breaker: Breaker,
    probe: bool,
}

impl Breaker {
    /// Starts closed.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        let inner = Inner { state: State::Closed { failures: 0 }, suspects: Vec::new() };
        Self { inner: Arc::new(Mutex::new(inner)), clock }
    }

    /// Whether a mail may use the relay.
    ///
    /// # Errors
    /// When to try again.
    pub fn try_acquire(&self) -> Result<Permit, DateTime<Utc>> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let probe = match inner.state {
            State::Closed { .. } => false,
            State::Open { until, .. } if now < until => return Err(until),
            State::Open { openings, .. } => {
                inner.state = State::Probing { openings };
                true
            }
            State::Probing { .. } => return Err(now + PROBE_WAIT),
        };
        Ok(Permit { breaker: self.clone(), probe })
    }

    /// Whether mails are held back. Once the wait is over this is false: the next mail is the probe.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.lock().state {
            State::Closed { .. } => false,
            State::Open { until, .. } => self.clock.now() < until,
            State::Probing { .. } => true,
        }
    }

    /// Whether the circuit has opened and not closed again.
    #[must_use]
    pub fn has_opened(&self) -> bool {
        self.openings() > 0
    }

    /// How many consecutive times the circuit has opened; 0 while it is closed.
    #[must_use]
    pub fn openings(&self) -> i32 {
        self.lock().state.openings()
    }

    /// Closes the circuit: another process sent a mail. Does nothing and returns false unless the circuit has opened exactly
    /// `openings` times: it has closed or opened again meanwhile.
    #[must_use]
    pub fn close(&self, openings: i32) -> bool {
        let mut inner = self.lock();
        let closes = inner.state.openings() == openings && openings > 0;
        if closes {
            inner.suspects.clear();
            inner.state = State::Closed { failures: 0 };
        }
        closes
    }

    /// Lets a mail test the relay from this instant on, if that is earlier. Does nothing unless the circuit has opened exactly
    /// `openings` times.
    pub fn shorten(&self, openings: i32, earlier: DateTime<Utc>) {
        if let State::Open { until, openings: now } = &mut self.lock().state
            && *now == openings
        {
            *until = earlier.min(*until);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Whether the mail may still connect: not if the circuit has opened since and another mail is to test the relay.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.probe || matches!(self.breaker.lock().state, State::Closed { .. })
    }

    /// The relay works, whatever it replied to the mail. Returns whether that closed the circuit.
    #[must_use]
    pub fn succeeded(mut self) -> bool {
        let mut inner = self.breaker.lock();
        inner.suspects.clear();
        // A mail that started before the circuit opened does not close it.
        if self.probe || matches!(inner.state, State::Closed { .. }) {
            inner.state = State::Closed { failures: 0 };
        }
        drop(inner);
        std::mem::take(&mut self.probe)
    }

    /// The relay failed.
    #[must_use]
    pub fn failed(mut self) -> Opening {
        let now = self.breaker.clock.now();
        let mut inner = self.breaker.lock();
        let openings = match inner.state {
            State::Closed { failures } if failures + 1 >= THRESHOLD => Some(1),
            State::Probing { openings } if self.probe => Some(openings + 1),
            _ => None,
        };
        let retry_at = match (openings, &mut inner.state) {
            (Some(openings), state) => {
                let until = now + wait(openings);
                *state = State::Open { until, openings };
                until
            }
            (None, State::Closed { failures }) => {
                *failures += 1;
                now + FIRST_WAIT
            }
            (None, State::Open { until, .. }) => *until,
            (None, State::Probing { .. }) => now + PROBE_WAIT,
        };
        drop(inner);
        self.probe = false;
        Opening { retry_at, openings }
    }

    /// The relay failed at RCPT or later. `None` if that counts against the mail: then the next mail may probe at once.
    #[must_use]
    pub fn failed_for(self, recipient: &str) -> Option<Opening> {
        let mut inner = self.breaker.lock();
        let known = inner.suspects.iter().any(|suspect| suspect == recipient);
        let others = inner.suspects.len() > usize::from(known);
        if !known && inner.suspects.len() < MAX_SUSPECTS {
            inner.suspects.push(recipient.to_owned());
        }
        drop(inner);
        (others && !known).then(|| self.failed())
    }
}

/// A probe without a result lets the next mail probe.
impl Drop for Permit {
    fn drop(&mut self) {
        if self.probe {
            let now = self.breaker.clock.now();
            let mut inner = self.breaker.lock();
            if let State::Probing { openings } = inner.state {
                inner.state = State::Open { until: now, openings };
            }
        }
    }
}

/// How long the circuit stays open after this many consecutive openings.
fn wait(openings: i32) -> TimeDelta {
    let wait = FIRST_WAIT.saturating_mul(1 << (openings - 1).min(16)).min(MAX_WAIT);
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)
}
#[cfg(test)]
mod tests {
    use punctual_queue::{Clock, ManualClock};

    use super::*;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = ManualClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        (Breaker::new(clock.clone()), clock)
    }

    #[test]
    fn a_mail_that_waited_while_the_circuit_opened_does_not_connect_and_the_probe_does() {
        let (breaker, clock) = breaker();
        let waits = breaker.try_acquire().unwrap();
        for _ in 0..THRESHOLD {
            assert!(waits.is_valid());
            let _ = breaker.try_acquire().unwrap().failed();
        }
        assert!(!waits.is_valid());
        clock.advance(wait(1));
        let probe = breaker.try_acquire().unwrap();
        assert!(probe.is_valid() && !waits.is_valid());
    }

    fn open(breaker: &Breaker) -> DateTime<Utc> {
        (0..THRESHOLD).map(|_| breaker.try_acquire().ok().unwrap().failed().retry_at).max().unwrap()
    }

    #[test]
    fn an_unavailable_relay_is_probed_by_one_mail_at_a_time_with_growing_waits() {
        let (breaker, clock) = breaker();
        let mut until = open(&breaker);
        for seconds in [15, 30, 60, 120, 240, 480, 600, 600] {
            assert_eq!((until - clock.now()).num_seconds(), seconds);
            assert_eq!(breaker.try_acquire().err(), Some(until));
            clock.set(until);
            let probe = breaker.try_acquire().ok().unwrap();
            assert_eq!(breaker.try_acquire().err(), Some(clock.now() + PROBE_WAIT), "one probe at a time");
            until = probe.failed().retry_at;
        }
    }

    #[test]
    fn a_successful_probe_closes_the_circuit() {
        let (breaker, clock) = breaker();
        let until = open(&breaker);
        assert!(breaker.is_open());
        clock.set(until);
        assert!(!breaker.is_open(), "the wait is over, though no mail has probed yet");
        let probe = breaker.try_acquire().ok().unwrap();
        assert!(breaker.is_open(), "others wait for the probe");
        assert!(probe.succeeded(), "that closed it");
        assert!(!breaker.is_open());
        let _both = (breaker.try_acquire().ok().unwrap(), breaker.try_acquire().ok().unwrap());
    }

    #[test]
    fn a_single_failure_does_not_open_the_circuit() {
        let (breaker, clock) = breaker();
        assert_eq!(breaker.try_acquire().ok().unwrap().failed().retry_at, clock.now() + FIRST_WAIT);
        assert!(!breaker.try_acquire().ok().unwrap().succeeded());
        for _ in 1..THRESHOLD {
            let _ = breaker.try_acquire().ok().unwrap().failed();
        }
        assert!(!breaker.is_open(), "a success resets the count");
    }

    #[test]
    fn concurrent_failures_open_the_circuit_once() {
        let (breaker, clock) = breaker();
        let together: Vec<Permit> = (0..16).map(|_| breaker.try_acquire().ok().unwrap()).collect();
        let latest = together.into_iter().map(|permit| permit.failed().retry_at).max().unwrap();
        assert_eq!(latest, clock.now() + FIRST_WAIT);
    }

    #[test]
    fn a_probe_without_a_result_lets_the_next_mail_probe() {
        let (breaker, clock) = breaker();
        clock.set(open(&breaker));
        drop(breaker.try_acquire().ok().unwrap());
        assert!(breaker.try_acquire().is_ok());
    }

    #[test]
    fn one_recipient_never_opens_the_circuit_and_two_count_against_the_relay() {
        let (breaker, clock) = breaker();
        for _ in 0..10 {
            assert_eq!(breaker.try_acquire().ok().unwrap().failed_for("bad@example.org"), None);
        }
        assert!(!breaker.is_open());
        let other = Opening { retry_at: clock.now() + FIRST_WAIT, openings: None };
        assert_eq!(breaker.try_acquire().ok().unwrap().failed_for("other@example.org"), Some(other));
        assert!(!breaker.try_acquire().ok().unwrap().succeeded(), "it was closed");
        assert_eq!(
            breaker.try_acquire().ok().unwrap().failed_for("other@example.org"),
            None,
            "a success in between"
        );
    }

    #[test]
    fn a_probe_that_fails_for_its_recipient_lets_another_mail_probe_at_once() {
        let (breaker, clock) = breaker();
        clock.set(open(&breaker));
        assert_eq!(breaker.try_acquire().ok().unwrap().failed_for("bad@example.org"), None);
        assert!(breaker.try_acquire().ok().unwrap().succeeded(), "it closes");
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_relay_that_fails_every_recipient_opens_the_circuit() {
        let (breaker, clock) = breaker();
        for number in 0..4 {
            let _ = breaker.try_acquire().ok().unwrap().failed_for(&format!("{number}@example.org"));
        }
        assert!(breaker.is_open());
        clock.advance(TimeDelta::seconds(15));
        let probe = breaker.try_acquire().ok().unwrap().failed_for("5@example.org").unwrap();
        assert_eq!(probe, Opening { retry_at: clock.now() + TimeDelta::seconds(30), openings: Some(2) });
    }

    #[test]
    fn a_success_elsewhere_closes_the_circuit_and_an_operator_can_ask_for_a_probe() {
        let (breaker, clock) = breaker();
        let until = open(&breaker);
        breaker.shorten(1, until + TimeDelta::hours(1));
        assert_eq!(breaker.try_acquire().err(), Some(until), "only an earlier instant counts");
        breaker.shorten(0, clock.now());
        assert_eq!(breaker.try_acquire().err(), Some(until), "it was said of an earlier opening");
        breaker.shorten(1, clock.now());
        let probe = breaker.try_acquire().ok().unwrap();
        assert_eq!(probe.failed().openings, Some(2));
        assert!(!breaker.close(1), "it was said of an earlier opening");
        assert!(breaker.close(2));
        assert!(!breaker.has_opened() && breaker.try_acquire().is_ok());
    }
}
