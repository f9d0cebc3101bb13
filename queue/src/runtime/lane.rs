//! One queue as the dispatcher of this process sees it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::builder::Queue;
use super::judge::Verdict;
use super::kind::Ended;
use crate::job::JobState;
use crate::limits::{Limit, Limiter};
use crate::store::claim::Claimed;
use crate::store::control::QueueControl;
use crate::store::settle::Settle;

/// So many deaths of its process in a row make a job poison.
pub(crate) const POISON: i16 = 3;
/// A slot reserved by the limit per key is good for so long; claimed later, a job asks anew, so that slots which passed
/// while no worker ran do not all start at once.
const SLOT_GRACE: TimeDelta = TimeDelta::seconds(3);

/// One queue as the dispatcher of this process sees it.
pub(crate) struct Lane {
    pub(crate) queue: Queue,
    pub(crate) kinds: Vec<String>,
    pub(crate) running: u32,
    /// Whether it may have work.
    pub(crate) dirty: bool,
    pub(crate) paused: bool,
    pub(crate) blocked_until: Option<Instant>,
    set_limit: Option<Limit>,
    set_key_limit: Option<Limit>,
}

impl Lane {
    pub(crate) fn new(queue: Queue, kinds: Vec<String>) -> Self {
        Self {
            queue,
            kinds,
            running: 0,
            dirty: true,
            paused: false,
            blocked_until: None,
            set_limit: None,
            set_key_limit: None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.queue.name
    }

    pub(crate) fn free(&self) -> u32 {
        self.queue.concurrency.max(1).saturating_sub(self.running)
    }

    pub(crate) fn may_claim(&self) -> bool {
        self.dirty && !self.paused && self.free() > 0 && !self.kinds.is_empty()
    }

    /// When it may claim next: at once, or when the limit has a token.
    pub(crate) fn claim_at(&self, now: Instant) -> Instant {
        self.blocked_until.filter(|until| *until > now).unwrap_or(now)
    }

    /// The limit in force: as set at run time, else as configured.
    pub(crate) fn limit(&self) -> Option<Limit> {
        self.set_limit.or(self.queue.limit)
    }

    fn key_limit(&self) -> Option<Limit> {
        self.set_key_limit.or(self.queue.key_limit)
    }

    /// Takes over what operators have set.
    pub(crate) fn set(&mut self, control: Option<&QueueControl>) {
        let paused = control.is_some_and(|control| control.paused);
        let limit = control.and_then(|control| control.limit);
        if limit != self.set_limit {
            self.blocked_until = None;
        }
        self.dirty |= self.paused && !paused;
        self.paused = paused;
        self.set_limit = limit;
        self.set_key_limit = control.and_then(|control| control.key_limit);
    }

    /// How long each of these jobs has to wait by the limit per key; zero for those that may run.
    pub(crate) async fn reserve(
        &self,
        limiter: &mut Limiter,
        claimed: &[Claimed],
        now: DateTime<Utc>,
        sessions: u32,
    ) -> Vec<Duration> {
        let mut waits = vec![Duration::ZERO; claimed.len()];
        let Some(limit) = self.key_limit() else { return waits };
        let asking: Vec<(usize, &str)> = claimed
            .iter()
            .enumerate()
            .filter(|(_, claimed)| Start::is_wanted(claimed, now) && !holds_slot(claimed, now))
            .filter_map(|(at, claimed)| Some((at, claimed.info.limit_key.as_deref()?)))
            .collect();
        if asking.is_empty() {
            return waits;
        }
        let keys: Vec<&str> = asking.iter().map(|(_, key)| *key).collect();
        for ((at, _), wait) in asking.iter().zip(limiter.reserve(self.name(), limit, &keys, sessions).await) {
            waits[*at] = wait;
        }
        waits
    }
}

fn holds_slot(claimed: &Claimed, now: DateTime<Utc>) -> bool {
    claimed.slot_at.is_some_and(|slot| slot <= now && now - slot <= SLOT_GRACE)
}

/// Whether a claimed job is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// It is.
    Now,
    /// It is not, and this is written down.
    Not(Verdict),
}

impl Start {
    /// Whether nothing in the row itself speaks against running it.
    fn is_wanted(claimed: &Claimed, now: DateTime<Utc>) -> bool {
        claimed.stop.is_none()
            && claimed.info.rescues < POISON
            && claimed.info.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Decides; `wait` is what the limit per key asks for, `holds` whether this process may trust its leases and does
    /// not shut down.
    pub(crate) fn judge(claimed: &Claimed, now: DateTime<Utc>, wait: Duration, holds: bool) -> Self {
        let end = |ended| Self::Not(Verdict::End(ended));
        if !holds {
            return Self::Not(Verdict::Settle(Settle::GiveBack));
        }
        match claimed.stop {
            Some(JobState::Cancelled) => return end(Ended::Cancelled),
            Some(_) => return end(Ended::Discarded),
            None => {}
        }
        if claimed.info.rescues >= POISON {
            return end(Ended::Poison);
        }
        if claimed.info.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return end(Ended::Expired);
        }
        if !wait.is_zero() {
            let at = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(365));
            return Self::Not(Verdict::Settle(Settle::Slot { at }));
        }
        Self::Now
    }

    /// What is written down for a payload that this build can't read.
    pub(crate) fn undecodable(error: &serde_json::Error) -> Verdict {
        Verdict::End(Ended::Undecodable(error.to_string()))
    }
}
