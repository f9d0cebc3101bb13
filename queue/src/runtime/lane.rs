//! One queue as the dispatcher of this process sees it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::builder::Queue;
use super::judge::Verdict;
use super::kind::Ended;
use crate::job::JobState;
use crate::limits::{Limit, Limiter};
use crate::store::claim::{Claimed, Place};
use crate::store::control::QueueControl;
use crate::store::settle::Settle;

/// So many deaths of its process in a row make a job poison.
pub(crate) const POISON: i16 = 3;
/// A slot reserved by the limit per key is good for so long; claimed later, a job asks anew, so that slots which passed
/// while no worker ran do not all start at once.
const SLOT_GRACE: TimeDelta = TimeDelta::seconds(3);

/// While there is more to claim than permits, a job that is put before those that wait is seen within this time.
const FULL_LOOK: Duration = Duration::from_millis(100);

/// One queue as the dispatcher of this process sees it.
pub(crate) struct Lane {
    pub(crate) queue: Queue,
    pub(crate) kinds: Vec<String>,
    pub(crate) running: u32,
    /// Whether it may have work.
    pub(crate) dirty: bool,
    pub(crate) paused: bool,
    pub(crate) blocked_until: Option<Instant>,
    /// Up to where the last claim has taken everything, and until when that is believed.
    taken: Option<(Place, Instant)>,
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
            taken: None,
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

    /// From where the next claim looks: behind what has been taken, but now and then from the start, for what came in
    /// before it.
    pub(crate) fn look_after(&self, now: Instant) -> Option<Place> {
        self.taken.filter(|(_, until)| now < *until).map(|(place, _)| place)
    }

    /// A claim of `count` that looked behind `after` got these.
    pub(crate) fn took(&mut self, claimed: &[Claimed], count: u32, after: Option<Place>, now: Instant) {
        let full = u32::try_from(claimed.len()).unwrap_or(u32::MAX) >= count;
        let until = match (after, self.taken) {
            (Some(_), Some((_, until))) => until,
            _ => now + FULL_LOOK,
        };
        let last = claimed.iter().map(|claimed| claimed.place).max();
        self.taken = last.filter(|_| full).map(|last| (last, until));
        // Only who looked from the start knows that there is no more.
        self.dirty = full || after.is_some();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobId;

    fn claimed(id: i64) -> Claimed {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Claimed {
            info: crate::context::JobInfo {
                id: JobId(id),
                queue: "default".to_owned(),
                kind: "nothing.v1".to_owned(),
                attempt: 1,
                max_attempts: 3,
                lease_seq: 1,
                run_at: at,
                expires_at: None,
                created_at: at,
                rescues: 0,
                snoozes: 0,
                unique_key: None,
                limit_key: None,
                trace: None,
            },
            session: uuid::Uuid::nil(),
            place: Place { priority: 0, run_at: at, id: JobId(id) },
            args: serde_json::Value::Null,
            stop: None,
            slot_at: None,
        }
    }

    #[test]
    fn claims_look_behind_what_was_taken_and_now_and_then_from_the_start() {
        let mut lane = Lane::new(Queue::new("default"), vec!["nothing.v1".to_owned()]);
        let now = Instant::now();
        assert_eq!(lane.look_after(now), None);
        lane.took(&[claimed(3), claimed(2)], 2, None, now);
        let behind = lane.look_after(now);
        assert_eq!((behind.map(|place| place.id), lane.dirty), (Some(JobId(3)), true));
        // The next ones do not put off the look from the start.
        lane.took(&[claimed(4), claimed(5)], 2, behind, now + FULL_LOOK / 2);
        assert_eq!(lane.look_after(now + FULL_LOOK / 2).map(|place| place.id), Some(JobId(5)));
        assert_eq!(lane.look_after(now + FULL_LOOK), None);
        // Nothing behind: something may have come in before.
        lane.took(&[], 2, behind, now);
        assert_eq!((lane.look_after(now), lane.dirty), (None, true));
        lane.took(&[], 2, None, now);
        assert_eq!((lane.look_after(now), lane.dirty), (None, false));
    }
}
