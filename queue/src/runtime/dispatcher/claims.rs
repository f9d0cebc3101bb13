//! Claiming: which queue gets how many permits, and the first step of each claimed job.

use tokio::time::Instant;

use super::{Dispatcher, Running};
use crate::limits::limit::Limit;
use crate::runtime::fair_share::fair_share;
use crate::runtime::metrics;
use crate::runtime::resolve_outcome::{is_poison, resolve_start, undecodable};
use crate::store::claim;
use crate::store::transition::Transition;

impl Dispatcher {
    /// One claim for each queue that may have due jobs, as far as permits, weights and tokens allow.
    pub(super) async fn claim_round(&mut self) {
        let session = self.shared.session();
        if !self.shared.heartbeat.is_fresh(session) {
            return;
        }
        if self.running.is_empty()
            && let Some((at, claimed)) = self.waits_alone.take()
        {
            self.start_all(at, vec![claimed]).await;
        }
        if !self.is_reserved() {
            self.claim_rescued().await;
        }
        if self.is_reserved() {
            return;
        }
        let now = Instant::now();
        let ready: Vec<usize> = (0..self.queues.len())
            .filter(|at| self.queues[*at].may_claim() && self.queues[*at].claim_at(now) <= now)
            .collect();
        let wants: Vec<(u32, u32)> =
            ready.iter().map(|at| (self.queues[*at].queue.weight, self.queues[*at].free())).collect();
        for (at, share) in ready.into_iter().zip(fair_share(self.free_permits(), &wants)) {
            if share > 0 && !self.shared.shutdown.is_draining() {
                self.claim_from(at, share).await;
            }
        }
        for queue in &self.queues {
            metrics::running(queue.name(), queue.running);
        }
    }

    async fn claim_from(&mut self, at: usize, share: u32) {
        let queue = &mut self.queues[at];
        let (name, limit) = (queue.name(), queue.limit());
        let sessions = self.shared.sessions_serving(name);
        let mut count = share;
        if let Some(limit) = limit {
            let (granted, wait) = self.limiter.take(name, limit, share, sessions).await;
            if granted < share {
                queue.blocked_until = Some(Instant::now() + wait);
            }
            if granted == 0 {
                metrics::limited(name, "queue", 1);
                return;
            }
            count = granted;
        }
        let (session, now, statement) =
            (self.shared.session(), self.shared.now(), self.shared.timing.statement);
        let begun = Instant::now();
        let (kinds, after) = (&self.queues[at].kinds, self.queues[at].search_after(begun));
        let claimed = self
            .db
            .call(statement, async |conn| {
                claim::ready(conn, session, name, kinds, i64::from(count), now, after).await
            })
            .await;
        let Some(claimed) = self.record(claimed, "claim") else {
            return self.give_back(name, limit, count, sessions).await;
        };
        self.queues[at].record_claim(&claimed, count, after, Instant::now(), begun.elapsed());
        let started = self.start_all(at, claimed).await;
        self.give_back(name, limit, count.saturating_sub(started), sessions).await;
    }

    /// Claims a rescued job unless one is running here or its end is being written: at most one of them is interrupted by the
    /// next death of the process, except those that released the slot ([`crate::JobContext::release_rescue_slot`]).
    async fn claim_rescued(&mut self) {
        let due = self.may_have_rescued && self.rescued_from <= Instant::now();
        if !due || self.free_permits() == 0 || self.rescue_slot_is_taken() {
            return;
        }
        let mut names = Vec::new();
        for queue in &mut self.queues {
            queue.rescued_left_out = queue.free() == 0;
            if !queue.paused && !queue.rescued_left_out {
                names.push(queue.name().to_owned());
            }
        }
        let (session, now, statement) =
            (self.shared.session(), self.shared.now(), self.shared.timing.statement);
        let kinds = &self.shared.kind_names;
        let claimed = self
            .db
            .call(statement, async |conn| claim::rescued(conn, session, &names, kinds, now).await)
            .await;
        let Some(claimed) = self.record(claimed, "claim") else { return };
        self.may_have_rescued = claimed.is_some();
        let Some(claimed) = claimed else { return };
        let Some(at) = self.queues.iter().position(|queue| queue.name() == claimed.info.queue) else {
            return;
        };
        let (name, limit) = (self.queues[at].name(), self.queues[at].limit());
        let sessions = self.shared.sessions_serving(name);
        let retries_poison = self.shared.retries_poison(&claimed.info.kind);
        if is_poison(&claimed) && retries_poison && !self.running.is_empty() {
            // Registered, so that the sweep does not release it as unknown.
            self.shared.leases().hold(claimed.info.id, claimed.info.lease_seq);
            self.waits_alone = Some((at, claimed));
            return;
        }
        if let Some(limit) = limit {
            let (granted, wait) = self.limiter.take(name, limit, 1, sessions).await;
            if granted == 0 {
                self.rescued_from = Instant::now() + wait;
                let ctx = self.shared.hold(claimed);
                self.rescued = Some(ctx.clone());
                return self.reporter.not_started(ctx, Transition::Release);
            }
        }
        let started = self.start_all(at, vec![claimed]).await;
        self.give_back(name, limit, 1_u32.saturating_sub(started), sessions).await;
    }

    async fn give_back(&mut self, name: &str, limit: Option<Limit>, unused: u32, sessions: u32) {
        if let Some(limit) = limit {
            self.limiter.give_back(name, limit, unused, sessions).await;
        }
    }

    /// Starts the claimed jobs that may run and reports the others; returns how many started.
    async fn start_all(&mut self, at: usize, claimed: Vec<claim::Claimed>) -> u32 {
        metrics::claimed(self.queues[at].name(), claimed.len());
        let now = self.shared.now();
        let sessions = self.shared.sessions_serving(self.queues[at].name());
        let waits = self.queues[at].reserve(&mut self.limiter, &claimed, now, sessions).await;
        let mut started = 0;
        for (claimed, wait) in claimed.into_iter().zip(waits) {
            let ctx = self.shared.hold(claimed);
            if ctx.holds_rescue_slot() {
                self.rescued = Some(ctx.clone());
            }
            let holds =
                self.shared.heartbeat.is_fresh(ctx.claimed().session) && !self.shared.shutdown.is_draining();
            let retries_poison = self.shared.retries_poison(&ctx.info().kind);
            if let Some(transition) = resolve_start(ctx.claimed(), now, wait, holds, retries_poison) {
                if matches!(transition, Transition::WaitForSlot { .. }) {
                    metrics::limited(&ctx.info().queue, "key", 1);
                }
                self.reporter.not_started(ctx, transition);
                continue;
            }
            let late = (now - ctx.info().run_at).to_std().unwrap_or_default();
            metrics::started(ctx.info(), late);
            match self.sinks.get(&ctx.info().kind).map(|sink| sink.feed(ctx.clone())) {
                Some(Ok(())) => {
                    let alone = is_poison(ctx.claimed());
                    self.running.insert(ctx.id(), Running { ctx, queue: at, alone });
                    self.queues[at].running += 1;
                    started += 1;
                }
                Some(Err(error)) => self.reporter.not_started(ctx, undecodable(&error)),
                None => self.reporter.not_started(ctx, Transition::Release),
            }
        }
        started
    }
}
