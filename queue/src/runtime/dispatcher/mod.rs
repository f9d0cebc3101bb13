//! Claims as many jobs as there are free permits and tokens, and hands each to the apalis worker of its kind.
//!
//! One per process. It claims after a wake-up, when a permit becomes free and its queue may have more jobs, and once a
//! second in any case. Correctness depends on the last only.

mod claims;
mod control;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::backend::Reporter;
use super::dedicated_conn::{CallError, DedicatedConn};
use super::kind::Sink;
use super::metrics;
use super::queue_state::QueueState;
use super::shared::RuntimeShared;
use crate::context::{JobContext, StopReason};
use crate::ids::JobId;
use crate::limits::limiter::Limiter;
use crate::store::claim::Claimed;
use crate::store::transition::Transition;

/// Between retries while Postgres does not answer.
const RETRY: Duration = Duration::from_millis(250);
/// How many ends may wait to be written, per permit and at least. Enough to write while other jobs run, few enough for
/// the memory of a process that can claim but not write.
const MAX_UNWRITTEN_PER_PERMIT: u32 = 4;
const MAX_UNWRITTEN_FLOOR: u32 = 2_000;

/// A running job.
struct Running {
    ctx: JobContext,
    /// Index of its queue in `queues`.
    queue: usize,
    /// Nothing else may run beside it.
    alone: bool,
}

pub(crate) struct Dispatcher {
    shared: Arc<RuntimeShared>,
    db: DedicatedConn,
    limiter: Limiter,
    sinks: HashMap<String, Box<dyn Sink>>,
    reporter: Reporter,
    permit_freed: Arc<Notify>,
    queues: Vec<QueueState>,
    running: HashMap<JobId, Running>,
    /// The rescued job that was claimed last, from then until its end is written or it has released the slot: until then a
    /// death of this process rescues it once more, and no other rescued job is claimed.
    rescued: Option<JobContext>,
    /// A claimed job that starts when nothing else runs here, with the index of its queue: its process died so often that
    /// it must not take other jobs down with it. Nothing is claimed while there is one, or while it runs.
    waits_alone: Option<(usize, Claimed)>,
    /// Whether a rescued job may be waiting, and from when on one may be claimed.
    may_have_rescued: bool,
    rescued_from: Instant,
    /// Postgres did not answer: nothing is claimed before `retry_at`.
    failing: bool,
    retry_at: Instant,
    /// When to look for leases that this process does not know.
    sweep_at: Instant,
}

impl Dispatcher {
    pub(crate) fn new(
        shared: Arc<RuntimeShared>,
        limiter: Limiter,
        sinks: HashMap<String, Box<dyn Sink>>,
        reporter: Reporter,
        permit_freed: Arc<Notify>,
    ) -> Self {
        let kinds = |name: &str| shared.kinds_of.get(name).cloned().unwrap_or_default();
        let queues =
            shared.queues.iter().map(|queue| QueueState::new(queue.clone(), kinds(queue.name))).collect();
        for capacity in shared.queues.iter().filter_map(|queue| queue.capacity.clone()) {
            tokio::spawn(wake_on_change(capacity, Arc::clone(&permit_freed)));
        }
        let db = shared.dedicated_conn();
        Self {
            shared,
            db,
            limiter,
            sinks,
            reporter,
            permit_freed,
            queues,
            running: HashMap::new(),
            rescued: None,
            waits_alone: None,
            may_have_rescued: true,
            rescued_from: Instant::now(),
            failing: false,
            retry_at: Instant::now(),
            sweep_at: Instant::now(),
        }
    }

    /// Runs until a shutdown was requested and all running jobs have ended.
    pub(crate) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut poll_at = Instant::now();
        let mut control_at = Instant::now();
        let mut grace_at: Option<Instant> = None;
        loop {
            self.free_what_ended_jobs_held();
            let now = Instant::now();
            if now >= poll_at {
                poll_at = now + shared.timing.poll;
                self.mark_all_queues();
            }
            if now >= control_at {
                control_at = now + shared.timing.control;
                self.control().await;
            }
            if shared.shutdown.is_draining() {
                let grace_at = *grace_at.get_or_insert_with(|| {
                    tracing::info!(running = self.running.len(), grace = ?shared.timing.grace, "draining");
                    now + shared.timing.grace
                });
                if let Some((_, claimed)) = self.waits_alone.take() {
                    self.reporter.not_started(self.shared.hold(claimed), Transition::Release);
                }
                if now >= grace_at {
                    self.stop_all(StopReason::ShuttingDown);
                }
                if self.running.is_empty() {
                    return;
                }
            } else if now >= self.retry_at {
                self.claim_round().await;
            }
            let wake_at = match grace_at {
                Some(grace_at) if now < grace_at => control_at.min(grace_at),
                Some(_) => control_at,
                None => self.wake_at(poll_at.min(control_at)),
            };
            tokio::select! {
                () = self.permit_freed.notified() => {}
                () = shared.notifier.notified() => {
                    let names = shared.notifier.take();
                    for queue in &mut self.queues {
                        queue.may_have_jobs |= names.contains(queue.name());
                    }
                    self.may_have_rescued = true;
                }
                () = shared.session_changed.notified() => self.stop_jobs_of_old_sessions(),
                () = shared.settled.notified(), if self.free_permits() == 0 => {}
                () = shared.shutdown.draining(), if grace_at.is_none() => {}
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    fn wake_at(&self, at_latest: Instant) -> Instant {
        if !self.shared.heartbeat.is_fresh(self.shared.session()) {
            return at_latest.min(Instant::now() + RETRY);
        }
        if self.failing {
            return at_latest.min(self.retry_at.max(Instant::now()));
        }
        let free = self.free_permits() > 0 && !self.is_reserved();
        let now = Instant::now();
        let queues =
            self.queues.iter().filter(|queue| free && queue.may_claim()).map(|queue| queue.claim_at(now));
        let rescued =
            (self.may_have_rescued && free && !self.rescue_slot_is_taken()).then_some(self.rescued_from);
        queues.chain(rescued).min().unwrap_or(at_latest).min(at_latest)
    }

    fn mark_all_queues(&mut self) {
        self.queues.iter_mut().for_each(|queue| queue.may_have_jobs = true);
        self.may_have_rescued = true;
    }

    /// How many more jobs may be claimed. None while too many ends wait to be written.
    fn free_permits(&self) -> u32 {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (running, leased) = (count(self.running.len()), count(self.shared.leases().live()));
        let unwritten = leased.saturating_sub(running);
        let bound = self.shared.concurrency.saturating_mul(MAX_UNWRITTEN_PER_PERMIT).max(MAX_UNWRITTEN_FLOOR);
        self.shared.concurrency.saturating_sub(running).min(bound.saturating_sub(unwritten))
    }

    /// Whether nothing may be claimed because a job must run alone.
    fn is_reserved(&self) -> bool {
        self.waits_alone.is_some() || self.running.values().any(|running| running.alone)
    }

    fn rescue_slot_is_taken(&self) -> bool {
        self.rescued.as_ref().is_some_and(JobContext::holds_rescue_slot)
    }

    fn free_what_ended_jobs_held(&mut self) {
        let Self { running, queues, may_have_rescued, rescued, .. } = self;
        *may_have_rescued |= rescued.take_if(|rescued| !rescued.holds_rescue_slot()).is_some();
        running.retain(|_, running| {
            let ended = running.ctx.has_ended();
            if ended {
                let queue = &mut queues[running.queue];
                queue.running -= 1;
                *may_have_rescued |= std::mem::take(&mut queue.rescued_left_out);
            }
            !ended
        });
    }

    fn stop_jobs_of_old_sessions(&self) {
        let session = self.shared.session();
        for running in self.running.values().filter(|running| running.ctx.claimed().session != session) {
            running.ctx.stop(StopReason::LeaseLost);
        }
    }

    fn stop_all(&self, reason: StopReason) {
        for running in self.running.values() {
            running.ctx.stop(reason);
        }
    }

    /// Records whether Postgres answered; `None` after an error. Logs the first error of an outage only.
    fn record<T>(&mut self, result: Result<T, CallError>, part: &'static str) -> Option<T> {
        match result {
            Ok(value) => {
                self.failing = false;
                Some(value)
            }
            Err(error) => {
                metrics::database_error(part);
                if !self.failing {
                    tracing::warn!(error = %error, part, "Postgres does not answer: trying again");
                }
                self.failing = true;
                self.retry_at = Instant::now() + RETRY;
                self.sweep_at = self.retry_at;
                None
            }
        }
    }
}

/// Wakes the dispatcher when the capacity of a queue changes.
async fn wake_on_change(mut capacity: watch::Receiver<u32>, permit_freed: Arc<Notify>) {
    while capacity.changed().await.is_ok() {
        permit_freed.notify_one();
    }
}
