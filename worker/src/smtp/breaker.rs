//! The circuit breaker of a relay: when the relay is in trouble, mails wait without asking it, and a single one asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::SharedClock;

/// Failures in a row after which no mail asks any more.
const THRESHOLD: u32 = 3;
/// How long a mail waits after the relay failed it, and how long the breaker is open at first.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// How long it waits at most.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// How long others wait while one mail asks.
const PROBE_WAIT: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy)]
enum State {
    /// Mails go through; so many failed in a row.
    Closed { failures: u32 },
    /// None goes through before `until`; opened so often in a row.
    Open { until: DateTime<Utc>, openings: u32 },
    /// One asks.
    Probing { openings: u32 },
}

/// The breaker; clones are one.
#[derive(Clone)]
pub struct Breaker {
    state: Arc<Mutex<State>>,
    clock: SharedClock,
}

/// The right to talk to the relay once. Dropped without a word it judges nothing.
#[must_use]
pub struct Permit {
    breaker: Breaker,
    probe: bool,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self { state: Arc::new(Mutex::new(State::Closed { failures: 0 })), clock }
    }

    /// May a mail talk to the relay? If not, when to ask again.
    pub fn enter(&self) -> Result<Permit, DateTime<Utc>> {
        let now = self.clock.now();
        let mut state = self.lock();
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until, .. } if now < until => return Err(until),
            State::Open { openings, .. } => {
                *state = State::Probing { openings };
                true
            }
            State::Probing { .. } => return Err(now + PROBE_WAIT),
        };
        Ok(Permit { breaker: self.clone(), probe })
    }

    /// Whether mails are held back: not once the pause is over, when the next mail asks.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match *self.lock() {
            State::Closed { .. } => false,
            State::Open { until, .. } => self.clock.now() < until,
            State::Probing { .. } => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The relay did its work, whatever it said of the mail.
    pub fn worked(mut self) {
        let mut state = self.breaker.lock();
        // A mail that began before the trouble says nothing about it.
        if self.probe || matches!(*state, State::Closed { .. }) {
            *state = State::Closed { failures: 0 };
        }
        drop(state);
        self.probe = false;
    }

    /// The relay is in trouble; answers when this mail is to try again.
    #[must_use]
    pub fn failed(mut self) -> DateTime<Utc> {
        let now = self.breaker.clock.now();
        let mut state = self.breaker.lock();
        let (next, until) = match *state {
            State::Closed { failures } if failures + 1 < THRESHOLD => {
                (State::Closed { failures: failures + 1 }, now + FIRST_WAIT)
            }
            State::Closed { .. } => opened(now, 1),
            State::Probing { openings } if self.probe => opened(now, openings + 1),
            State::Open { until, .. } => (*state, until),
            State::Probing { .. } => (*state, now + PROBE_WAIT),
        };
        *state = next;
        drop(state);
        self.probe = false;
        until
    }
}

/// A probe that came to no verdict lets the next one ask.
impl Drop for Permit {
    fn drop(&mut self) {
        if self.probe {
            let now = self.breaker.clock.now();
            let mut state = self.breaker.lock();
            if let State::Probing { openings } = *state {
                *state = State::Open { until: now, openings };
            }
        }
    }
}

fn opened(now: DateTime<Utc>, openings: u32) -> (State, DateTime<Utc>) {
    let wait = FIRST_WAIT.saturating_mul(1 << (openings - 1).min(16)).min(LONGEST_WAIT);
    let until = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    (State::Open { until, openings }, until)
}

#[cfg(test)]
mod tests {
    use punctual_queue::{Clock, ManualClock};

    use super::*;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = ManualClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        (Breaker::new(clock.clone()), clock)
    }

    fn open(breaker: &Breaker) -> DateTime<Utc> {
        (0..THRESHOLD).map(|_| breaker.enter().ok().unwrap().failed()).max().unwrap()
    }

    #[test]
    fn a_relay_that_stays_away_is_asked_ever_less_often_by_one_mail_at_a_time() {
        let (breaker, clock) = breaker();
        let mut until = open(&breaker);
        for seconds in [15, 30, 60, 120, 240, 480, 600, 600] {
            assert_eq!((until - clock.now()).num_seconds(), seconds);
            assert_eq!(breaker.enter().err(), Some(until));
            clock.set(until);
            let probe = breaker.enter().ok().unwrap();
            assert_eq!(breaker.enter().err(), Some(clock.now() + PROBE_WAIT), "one probe at a time");
            until = probe.failed();
        }
    }

    #[test]
    fn a_probe_that_works_lets_all_through() {
        let (breaker, clock) = breaker();
        let until = open(&breaker);
        assert!(breaker.is_open());
        clock.set(until);
        assert!(!breaker.is_open(), "nobody is held back any more, though nobody has asked yet");
        let probe = breaker.enter().ok().unwrap();
        assert!(breaker.is_open(), "others wait for the probe");
        probe.worked();
        assert!(!breaker.is_open());
        let _both = (breaker.enter().ok().unwrap(), breaker.enter().ok().unwrap());
    }

    #[test]
    fn a_single_failure_holds_back_nobody_else() {
        let (breaker, clock) = breaker();
        assert_eq!(breaker.enter().ok().unwrap().failed(), clock.now() + FIRST_WAIT);
        breaker.enter().ok().unwrap().worked();
        for _ in 1..THRESHOLD {
            let _ = breaker.enter().ok().unwrap().failed();
        }
        assert!(!breaker.is_open(), "a success in between starts the count anew");
    }

    #[test]
    fn mails_that_fail_together_count_as_one_opening() {
        let (breaker, clock) = breaker();
        let together: Vec<Permit> = (0..16).map(|_| breaker.enter().ok().unwrap()).collect();
        let latest = together.into_iter().map(Permit::failed).max().unwrap();
        assert_eq!(latest, clock.now() + FIRST_WAIT);
    }

    #[test]
    fn a_probe_without_a_verdict_makes_room_for_the_next() {
        let (breaker, clock) = breaker();
        clock.set(open(&breaker));
        drop(breaker.enter().ok().unwrap());
        assert!(breaker.enter().is_ok());
    }
}
