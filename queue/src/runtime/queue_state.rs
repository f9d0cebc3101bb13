//! The dispatcher's state of one queue.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::builder::Queue;
use super::resolve_outcome::is_runnable;
use crate::limits::limit::Limit;
use crate::limits::limiter::Limiter;
use crate::store::claim::{Claimed, Place};
use crate::store::control::QueueControl;

/// How long a slot reserved by the limit per key stays valid. A job claimed later reserves a new one: otherwise all slots
/// that passed while no worker ran would start at once.
const SLOT_GRACE: TimeDelta = TimeDelta::seconds(3);

/// While jobs wait for permits, a new job of a higher priority is seen within this time. Where a search from the start takes
/// long, it is seen within twenty times that, at most within two seconds: a transaction that stays open keeps the dead
/// entries of all jobs done since.
const FULL_SEARCH: Duration = Duration::from_millis(100);
const FULL_SEARCH_SHARE: u32 = 20;
const FULL_SEARCH_MAX: Duration = Duration::from_secs(2);

/// The dispatcher's state of one queue.
pub(crate) struct QueueState {
    pub(crate) queue: Queue,
    pub(crate) kinds: Vec<String>,
    pub(crate) running: u32,
    /// Whether it may have due jobs.
    pub(crate) may_have_jobs: bool,
    pub(crate) paused: bool,
    pub(crate) blocked_until: Option<Instant>,
    /// Whether the last claim of a rescued job left it out, because it was full.
    pub(crate) rescued_left_out: bool,
    /// The position up to which everything was claimed, and until when claims start after it.
    claimed_up_to: Option<(Place, Instant)>,
    limit_override: Option<Limit>,
    key_limit_override: Option<Limit>,
}

impl QueueState {
    pub(crate) fn new(queue: Queue, kinds: Vec<String>) -> Self {
        Self {
            queue,
            kinds,
            running: 0,
            may_have_jobs: true,
            paused: false,
            blocked_until: None,
            rescued_left_out: false,
            claimed_up_to: None,
            limit_override: None,
            key_limit_override: None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.queue.name
    }

    pub(crate) fn free(&self) -> u32 {
        let capacity = self.queue.capacity.as_ref().map_or(u32::MAX, |jobs| *jobs.borrow());
        self.queue.concurrency.max(1).min(capacity).saturating_sub(self.running)
    }

    pub(crate) fn may_claim(&self) -> bool {
        self.may_have_jobs && !self.paused && self.free() > 0 && !self.kinds.is_empty()
    }

    /// The position after which the next claim searches. Every [`FULL_SEARCH`] it is `None`, for jobs that were enqueued
    /// before that position.
    pub(crate) fn search_after(&self, now: Instant) -> Option<Place> {
        self.claimed_up_to.filter(|(_, until)| now < *until).map(|(place, _)| place)
    }

    /// Records the result of a claim of up to `count` jobs after the position `after`, which ended at `now` and took so long.
    pub(crate) fn record_claim(
        &mut self,
        claimed: &[Claimed],
        count: u32,
        after: Option<Place>,
        now: Instant,
        took: Duration,
    ) {
        let full = u32::try_from(claimed.len()).unwrap_or(u32::MAX) >= count;
        let until = match (after, self.claimed_up_to) {
            (Some(_), Some((_, until))) => until,
            _ => now + (took * FULL_SEARCH_SHARE).clamp(FULL_SEARCH, FULL_SEARCH_MAX),
        };
        let last = claimed.iter().map(|claimed| claimed.place).max();
        self.claimed_up_to = last.filter(|_| full).map(|last| (last, until));
        // Only a search from the start proves that the queue is empty.
        self.may_have_jobs = full || after.is_some();
    }

    /// When it may claim next: now, or when the limit has a token.
    pub(crate) fn claim_at(&self, now: Instant) -> Instant {
        self.blocked_until.filter(|until| *until > now).unwrap_or(now)
    }

    /// The limit set at run time, else the configured one.
    pub(crate) fn limit(&self) -> Option<Limit> {
        self.limit_override.or(self.queue.limit)
    }

    fn key_limit(&self) -> Option<Limit> {
        self.key_limit_override.or(self.queue.key_limit)
    }

    /// Applies the settings of operators.
    pub(crate) fn apply(&mut self, control: Option<&QueueControl>) {
        let paused = control.is_some_and(|control| control.paused);
        let limit = control.and_then(|control| control.limit);
        if limit != self.limit_override {
            self.blocked_until = None;
        }
        self.may_have_jobs |= self.paused && !paused;
        self.paused = paused;
        self.limit_override = limit;
        self.key_limit_override = control.and_then(|control| control.key_limit);
    }

    /// How long each of these jobs must wait because of the limit per key; zero to start now.
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
            .filter(|(_, claimed)| is_runnable(claimed, now, true) && !holds_slot(claimed, now))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::JobId;

    fn claimed(id: i64) -> Claimed {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Claimed {
            info: crate::job_info::JobInfo {
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
    fn claims_search_after_the_last_position_and_periodically_from_the_start() {
        let mut state = QueueState::new(Queue::new("default"), vec!["nothing.v1".to_owned()]);
        let now = Instant::now();
        assert_eq!(state.search_after(now), None);
        let fast = Duration::ZERO;
        state.record_claim(&[claimed(3), claimed(2)], 2, None, now, fast);
        let behind = state.search_after(now);
        assert_eq!((behind.map(|place| place.id), state.may_have_jobs), (Some(JobId(3)), true));
        // A further claim does not delay the search from the start.
        state.record_claim(&[claimed(4), claimed(5)], 2, behind, now + FULL_SEARCH / 2, fast);
        assert_eq!(state.search_after(now + FULL_SEARCH / 2).map(|place| place.id), Some(JobId(5)));
        assert_eq!(state.search_after(now + FULL_SEARCH), None);
        // Nothing after the position: there may be jobs before it.
        state.record_claim(&[], 2, behind, now, fast);
        assert_eq!((state.search_after(now), state.may_have_jobs), (None, true));
        state.record_claim(&[], 2, None, now, fast);
        assert_eq!((state.search_after(now), state.may_have_jobs), (None, false));
        // A search that took long is not repeated soon.
        state.record_claim(&[claimed(6)], 1, None, now + FULL_SEARCH / 2, FULL_SEARCH / 2);
        assert!(state.search_after(now + FULL_SEARCH * FULL_SEARCH_SHARE / 2).is_some());
        assert_eq!(state.search_after(now + FULL_SEARCH * (FULL_SEARCH_SHARE + 1) / 2), None);
        state.record_claim(&[claimed(7)], 1, None, now + FULL_SEARCH_MAX, FULL_SEARCH_MAX);
        assert_eq!(state.search_after(now + FULL_SEARCH_MAX * 2), None);
    }
}
