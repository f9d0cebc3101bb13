//! Claims as many jobs as there are free permits and tokens, and hands each to the apalis worker of its kind.
//!
//! One per process. It is awake when a queue's bell rings, when a permit is free again and its queue may have more, and
//! once a second, which is what correctness rests on.

mod upkeep;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::allot::allot;
use super::backend::{LeaseEnd, Reporter};
use super::crew::Crew;
use super::judge::Verdict;
use super::kind::Sink;
use super::lane::{Lane, Start};
use super::link::{Link, LinkError, within};
use super::metrics;
use crate::context::{JobContext, StopReason};
use crate::job::JobId;
use crate::limits::Limiter;
use crate::store::claim;
use crate::store::settle::Settle;

/// Between tries while Postgres does not answer.
const RETRY: Duration = Duration::from_millis(250);
/// So many ends for each permit may wait to be written down, but at least so many: enough to be written while other
/// jobs run, few enough for the memory of a process that can claim but not write.
const UNSETTLED_TIMES: u32 = 4;
const UNSETTLED_LEAST: u32 = 2_000;

/// A job that runs here.
struct Running {
    ctx: JobContext,
    lane: usize,
    rescued: bool,
}

pub(crate) struct Dispatcher {
    crew: Arc<Crew>,
    link: Link,
    limiter: Limiter,
    sinks: HashMap<String, Box<dyn Sink>>,
    reporter: Reporter,
    freed: mpsc::UnboundedReceiver<JobId>,
    lanes: Vec<Lane>,
    running: HashMap<JobId, Running>,
    /// Whether a rescued job may be waiting, and from when one may be claimed.
    rescued_dirty: bool,
    rescued_from: Instant,
    /// Postgres did not answer: nothing is claimed before this.
    failing: bool,
    retry_at: Instant,
    /// When leases that this process does not know are looked for.
    sweep_at: Instant,
}

impl Dispatcher {
    pub(crate) fn new(
        crew: Arc<Crew>,
        limiter: Limiter,
        sinks: HashMap<String, Box<dyn Sink>>,
        reporter: Reporter,
        freed: mpsc::UnboundedReceiver<JobId>,
    ) -> Self {
        let kinds = |name: &str| crew.kinds_of.get(name).cloned().unwrap_or_default();
        let lanes = crew.queues.iter().map(|queue| Lane::new(queue.clone(), kinds(queue.name))).collect();
        let link = crew.link();
        Self {
            crew,
            link,
            limiter,
            sinks,
            reporter,
            freed,
            lanes,
            running: HashMap::new(),
            rescued_dirty: true,
            rescued_from: Instant::now(),
            failing: false,
            retry_at: Instant::now(),
            sweep_at: Instant::now(),
        }
    }

    /// Runs until a shutdown has been asked for and all that ran has ended. Dropping what it leaves ends the workers.
    pub(crate) async fn run(mut self) {
        let crew = Arc::clone(&self.crew);
        let mut poll_at = Instant::now();
        let mut control_at = Instant::now();
        let mut grace_at: Option<Instant> = None;
        loop {
            self.take_freed();
            let now = Instant::now();
            if now >= poll_at {
                poll_at = now + crew.timing.poll;
                self.look_everywhere();
            }
            if now >= control_at {
                control_at = now + crew.timing.control;
                self.control().await;
            }
            if crew.shutdown.is_draining() {
                let grace_at = *grace_at.get_or_insert_with(|| {
                    tracing::info!(running = self.running.len(), grace = ?crew.timing.grace, "draining");
                    now + crew.timing.grace
                });
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
                id = self.freed.recv() => {
                    if let Some(id) = id {
                        self.free(id);
                    }
                }
                () = crew.bell.rung() => {
                    let queues = crew.bell.take();
                    for lane in &mut self.lanes {
                        lane.dirty |= queues.contains(lane.name());
                    }
                    self.rescued_dirty = true;
                }
                () = crew.session_changed.notified() => self.drop_old_leases(),
                () = crew.settled.notified(), if self.free_permits() == 0 => {}
                () = crew.shutdown.draining(), if grace_at.is_none() => {}
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    fn wake_at(&self, at_latest: Instant) -> Instant {
        if !self.crew.pulse.is_fresh(self.crew.session()) {
            return at_latest.min(Instant::now() + RETRY);
        }
        if self.failing {
            return at_latest.min(self.retry_at.max(Instant::now()));
        }
        let free = self.free_permits() > 0;
        let now = Instant::now();
        let lanes = self.lanes.iter().filter(|lane| free && lane.may_claim()).map(|lane| lane.claim_at(now));
        let rescued = (self.rescued_dirty && free && !self.rescued_runs()).then_some(self.rescued_from);
        lanes.chain(rescued).min().unwrap_or(at_latest).min(at_latest)
    }

    fn look_everywhere(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.dirty = true);
        self.rescued_dirty = true;
    }

    /// Jobs that may be claimed: none beyond those that run, nor while too many ends wait to be written down.
    fn free_permits(&self) -> u32 {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (running, leased) = (count(self.running.len()), count(self.crew.leases().live()));
        let unsettled = leased.saturating_sub(running);
        let bound = self.crew.concurrency.saturating_mul(UNSETTLED_TIMES).max(UNSETTLED_LEAST);
        self.crew.concurrency.saturating_sub(running).min(bound.saturating_sub(unsettled))
    }

    fn rescued_runs(&self) -> bool {
        self.running.values().any(|running| running.rescued)
    }

    fn take_freed(&mut self) {
        while let Ok(id) = self.freed.try_recv() {
            self.free(id);
        }
    }

    fn free(&mut self, id: JobId) {
        if let Some(running) = self.running.remove(&id) {
            self.lanes[running.lane].running -= 1;
            self.rescued_dirty |= running.rescued;
        }
    }

    /// One claim for each queue that may have work, as far as permits, weights and tokens go.
    async fn claim_round(&mut self) {
        let session = self.crew.session();
        if !self.crew.pulse.is_fresh(session) {
            return;
        }
        self.claim_rescued().await;
        let now = Instant::now();
        let ready: Vec<usize> = (0..self.lanes.len())
            .filter(|at| self.lanes[*at].may_claim() && self.lanes[*at].claim_at(now) <= now)
            .collect();
        let wants: Vec<(u32, u32)> =
            ready.iter().map(|at| (self.lanes[*at].queue.weight, self.lanes[*at].free())).collect();
        for (at, share) in ready.into_iter().zip(allot(self.free_permits(), &wants)) {
            if share > 0 && !self.crew.shutdown.is_draining() {
                self.claim_lane(at, share).await;
            }
        }
        for lane in &self.lanes {
            metrics::running(lane.name(), lane.running);
        }
    }

    async fn claim_lane(&mut self, at: usize, share: u32) {
        let lane = &mut self.lanes[at];
        let (name, limit) = (lane.name().to_owned(), lane.limit());
        let sessions = self.crew.sessions_serving(&name);
        let mut count = share;
        if let Some(limit) = limit {
            let (granted, wait) = self.limiter.take(&name, limit, share, sessions).await;
            if granted < share {
                lane.blocked_until = Some(Instant::now() + wait);
            }
            if granted == 0 {
                metrics::limited(&name, "queue", 1);
                return;
            }
            count = granted;
        }
        let (session, now) = (self.crew.session(), self.crew.now());
        let (kinds, after) = (&self.lanes[at].kinds, self.lanes[at].look_after(Instant::now()));
        let claimed = within(self.crew.timing.statement, async {
            claim::ready(self.link.open().await?, session, &name, kinds, i64::from(count), now, after).await
        });
        let claimed = claimed.await;
        let claimed = self.link.check(claimed);
        let Some(claimed) = self.note(claimed, "claim") else {
            if let Some(limit) = limit {
                self.limiter.give_back(&name, limit, count, sessions).await;
            }
            return;
        };
        self.lanes[at].took(&claimed, count, after, Instant::now());
        let started = self.start_all(at, claimed).await;
        if let Some(limit) = limit {
            self.limiter.give_back(&name, limit, count.saturating_sub(started), sessions).await;
        }
    }

    /// At most one job that was rescued runs here at a time.
    async fn claim_rescued(&mut self) {
        let due = self.rescued_dirty && self.rescued_from <= Instant::now();
        if !due || self.free_permits() == 0 || self.rescued_runs() {
            return;
        }
        let queues: Vec<String> = self
            .lanes
            .iter()
            .filter(|lane| !lane.paused && lane.free() > 0)
            .map(|lane| lane.name().to_owned())
            .collect();
        let (session, now) = (self.crew.session(), self.crew.now());
        let claimed = within(self.crew.timing.statement, async {
            claim::rescued(self.link.open().await?, session, &queues, &self.crew.kind_names, now).await
        });
        let claimed = claimed.await;
        let claimed = self.link.check(claimed);
        let Some(claimed) = self.note(claimed, "claim") else { return };
        self.rescued_dirty = claimed.is_some();
        let Some(claimed) = claimed else { return };
        let Some(at) = self.lanes.iter().position(|lane| lane.name() == claimed.info.queue) else { return };
        let (name, limit) = (claimed.info.queue.clone(), self.lanes[at].limit());
        let sessions = self.crew.sessions_serving(&name);
        if let Some(limit) = limit {
            let (granted, wait) = self.limiter.take(&name, limit, 1, sessions).await;
            if granted == 0 {
                self.rescued_from = Instant::now() + wait;
                let ctx = self.crew.hold(claimed);
                return self.reporter.report(ctx, LeaseEnd::Unrun(Verdict::Settle(Settle::GiveBack)));
            }
        }
        let started = self.start_all(at, vec![claimed]).await;
        if let Some(limit) = limit {
            self.limiter.give_back(&name, limit, 1_u32.saturating_sub(started), sessions).await;
        }
    }

    /// Starts what may run and reports the rest as not begun; answers how many started.
    async fn start_all(&mut self, at: usize, claimed: Vec<claim::Claimed>) -> u32 {
        metrics::claimed(self.lanes[at].name(), claimed.len());
        let now = self.crew.now();
        let sessions = self.crew.sessions_serving(self.lanes[at].name());
        let slots = self.lanes[at].reserve(&mut self.limiter, &claimed, now, sessions).await;
        let mut started = 0;
        for (claimed, slot) in claimed.into_iter().zip(slots) {
            let ctx = self.crew.hold(claimed);
            let holds = self.crew.pulse.is_fresh(ctx.claimed().session) && !self.crew.shutdown.is_draining();
            let verdict = match Start::judge(ctx.claimed(), now, slot, holds) {
                Start::Not(verdict) => {
                    if matches!(verdict, Verdict::Settle(Settle::Slot { .. })) {
                        metrics::limited(&ctx.info().queue, "key", 1);
                    }
                    verdict
                }
                Start::Now => {
                    let late = (now - ctx.info().run_at).to_std().unwrap_or_default();
                    metrics::started(ctx.info(), late);
                    match self.sinks.get(&ctx.info().kind).map(|sink| sink.feed(ctx.clone())) {
                        Some(Ok(())) => {
                            let rescued = ctx.info().rescues > 0;
                            self.running.insert(ctx.id(), Running { ctx, lane: at, rescued });
                            self.lanes[at].running += 1;
                            started += 1;
                            continue;
                        }
                        Some(Err(error)) => Start::undecodable(&error),
                        None => Verdict::Settle(Settle::GiveBack),
                    }
                }
            };
            self.reporter.report(ctx, LeaseEnd::Unrun(verdict));
        }
        started
    }

    fn drop_old_leases(&self) {
        let session = self.crew.session();
        for running in self.running.values().filter(|running| running.ctx.claimed().session != session) {
            running.ctx.stop(StopReason::LeaseLost);
        }
    }

    fn stop_all(&self, reason: StopReason) {
        for running in self.running.values() {
            running.ctx.stop(reason);
        }
    }

    fn note<T>(&mut self, result: Result<T, LinkError>, part: &'static str) -> Option<T> {
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
