//! What the dispatcher does once a second beside claiming: it reads settings and stop requests of operators, ends waiting
//! jobs that have a stop request, and releases leases that this process does not know.

use std::time::Duration;

use tokio::time::Instant;

use super::Dispatcher;
use crate::context::StopReason;
use crate::job::JobState;
use crate::runtime::metrics;
use crate::runtime::resolve_outcome::resolve_start;
use crate::store::transition::Transition;
use crate::store::{claim, control};

/// Between searches for unknown leases; after a database error the next one comes at once. A single search is not
/// enough: a disconnected backend can commit its claim later.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Waiting jobs ended by one statement.
const STOP_BATCH: i64 = 500;

impl Dispatcher {
    pub(super) async fn control(&mut self) {
        self.read_control().await;
        if self.shared.heartbeat.is_fresh(self.shared.session()) && !self.shared.shutdown.is_draining() {
            self.end_stopped().await;
        }
        if Instant::now() >= self.sweep_at {
            self.sweep_at = Instant::now() + SWEEP_INTERVAL;
            self.sweep().await;
        }
    }

    /// Reads pauses, limits and stop requests.
    async fn read_control(&mut self) {
        let (session, names) = (self.shared.session(), &self.shared.queue_names);
        let is_idle = self.running.is_empty();
        let read = self
            .db
            .call(self.shared.timing.statement, async |conn| {
                let queues = control::queues(conn, names).await?;
                let stops = if is_idle { Vec::new() } else { control::stops(conn, session).await? };
                Ok((queues, stops))
            })
            .await;
        let Some((controls, stops)) = self.record(read, "control") else { return };
        for queue in &mut self.queues {
            queue.apply(controls.iter().find(|control| control.queue == queue.name()));
        }
        for (id, state) in stops {
            let reason =
                if state == JobState::Cancelled { StopReason::Cancelled } else { StopReason::Discarded };
            if let Some(running) = self.running.get(&id) {
                running.ctx.stop(reason);
            }
        }
    }

    /// Ends waiting jobs that have a stop request, also in paused and limited queues.
    async fn end_stopped(&mut self) {
        let (session, now, kinds) = (self.shared.session(), self.shared.now(), &self.shared.kind_names);
        let claimed = self
            .db
            .call(self.shared.timing.statement, async |conn| {
                claim::stopped(conn, session, kinds, STOP_BATCH, now).await
            })
            .await;
        let Some(claimed) = self.record(claimed, "control") else { return };
        let now = self.shared.now();
        for claimed in claimed {
            let ctx = self.shared.hold(claimed);
            let holds = self.shared.heartbeat.is_fresh(ctx.claimed().session);
            // `None`: the request was withdrawn meanwhile.
            let transition =
                resolve_start(ctx.claimed(), now, Duration::ZERO, holds, true).unwrap_or(Transition::Release);
            self.reporter.not_started(ctx, transition);
        }
    }

    /// Releases jobs that a claim leased to this session but whose answer was lost.
    async fn sweep(&mut self) {
        let (session, held) = (self.shared.session(), self.shared.leases().jobs());
        let released = self
            .db
            .call(self.shared.timing.statement, async |conn| {
                claim::give_back_unknown(conn, session, &held).await
            })
            .await;
        let Some(queues) = self.record(released, "sweep") else { return };
        if !queues.is_empty() {
            metrics::reclaimed(queues.len());
            tracing::warn!(jobs = queues.len(), "leases of a claim whose answer was cut off were given back");
            for queue in &queues {
                self.shared.wake.wake(queue);
            }
        }
    }
}
