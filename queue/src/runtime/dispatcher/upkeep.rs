//! What the dispatcher does once a second beside claiming: it reads what operators have set and asked for, ends what is
//! to be stopped unrun, and gives back leases that it does not know of.

use std::time::Duration;

use tokio::time::Instant;

use super::Dispatcher;
use crate::context::StopReason;
use crate::job::JobState;
use crate::runtime::backend::LeaseEnd;
use crate::runtime::judge::Verdict;
use crate::runtime::lane::Start;
use crate::runtime::link::within;
use crate::runtime::metrics;
use crate::store::settle::Settle;
use crate::store::{claim, control};

/// Between looks for unknown leases; after an error of the database at once. A backend that was cut off can commit a
/// claim later than that, so looking once is not enough.
const SWEEP: Duration = Duration::from_secs(5);
/// Waiting jobs ended unrun in one round.
const STOPPED: i64 = 500;

impl Dispatcher {
    pub(super) async fn control(&mut self) {
        self.read_control().await;
        if self.crew.pulse.is_fresh(self.crew.session()) && !self.crew.shutdown.is_draining() {
            self.end_stopped().await;
        }
        if Instant::now() >= self.sweep_at {
            self.sweep_at = Instant::now() + SWEEP;
            self.sweep().await;
        }
    }

    /// Reads pauses, limits and requests to stop.
    async fn read_control(&mut self) {
        let session = self.crew.session();
        let read = within(self.crew.timing.statement, async {
            let conn = self.link.open().await?;
            let queues = control::queues(conn, &self.crew.queue_names).await?;
            let stops =
                if self.running.is_empty() { Vec::new() } else { control::stops(conn, session).await? };
            Ok((queues, stops))
        });
        let read = read.await;
        let read = self.link.check(read);
        let Some((queues, stops)) = self.note(read, "control") else { return };
        for lane in &mut self.lanes {
            lane.set(queues.iter().find(|control| control.queue == lane.name()));
        }
        for (id, state) in stops {
            let reason =
                if state == JobState::Cancelled { StopReason::Cancelled } else { StopReason::Discarded };
            if let Some(running) = self.running.get(&id) {
                running.ctx.stop(reason);
            }
        }
    }

    /// Ends waiting jobs that somebody wants ended, whatever their queue is doing.
    async fn end_stopped(&mut self) {
        let (session, now) = (self.crew.session(), self.crew.now());
        let claimed = within(self.crew.timing.statement, async {
            claim::stopped(self.link.open().await?, session, &self.crew.kind_names, STOPPED, now).await
        });
        let claimed = claimed.await;
        let claimed = self.link.check(claimed);
        let Some(claimed) = self.note(claimed, "control") else { return };
        let now = self.crew.now();
        for claimed in claimed {
            let ctx = self.crew.hold(claimed);
            let holds = self.crew.pulse.is_fresh(ctx.claimed().session);
            let verdict = match Start::judge(ctx.claimed(), now, Duration::ZERO, holds) {
                Start::Not(verdict) => verdict,
                Start::Now => Verdict::Settle(Settle::GiveBack),
            };
            self.reporter.report(ctx, LeaseEnd::Unrun(verdict));
        }
    }

    /// Gives back jobs that a claim leased to this session whose answer never came.
    async fn sweep(&mut self) {
        let (session, held) = (self.crew.session(), self.crew.leases().jobs());
        let given_back = within(self.crew.timing.statement, async {
            claim::give_back_unknown(self.link.open().await?, session, &held).await
        });
        let given_back = given_back.await;
        let given_back = self.link.check(given_back);
        let Some(queues) = self.note(given_back, "sweep") else { return };
        if !queues.is_empty() {
            metrics::reclaimed(queues.len());
            tracing::warn!(jobs = queues.len(), "leases of a claim whose answer was cut off were given back");
            for queue in &queues {
                self.crew.wake.wake(queue);
            }
        }
    }
}
