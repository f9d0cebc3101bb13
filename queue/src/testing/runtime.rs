//! Runs due jobs when the test says so, at the instant it sets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::clock::{Clock as _, ManualClock};
use crate::ids::JobId;
use crate::runtime::internals::{
    self as runtime, RuntimeShared, Settler, Sink, Workers, open_first_session, resolve_start, undecodable,
};
use crate::runtime::{Builder, Shutdown};
use crate::store::{claim, promote};

/// A job that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Number of the attempt, from 1.
    pub attempt: i32,
}

/// Ends jobs whose kind no worker has handled for a day, as the leader does; returns how many.
///
/// # Panics
/// When the builder can't be built or Postgres does not answer.
pub async fn end_unknown(builder: Builder) -> usize {
    let parts = builder.build().expect("the runtime can be built").parts;
    let (shared, _workers) = RuntimeShared::assemble(parts, Shutdown::new()).expect("the runtime can start");
    let mut conn = shared.pool.acquire().await.expect("Postgres answers");
    runtime::end_unknown(&shared, &mut conn).await.expect("Postgres answers")
}

/// A runtime that claims only when the test says so: the same handlers, apalis workers and statements, but no leader, no
/// polling and no limits.
pub struct TestRuntime {
    shared: Arc<RuntimeShared>,
    clock: Arc<ManualClock>,
    sinks: HashMap<String, Box<dyn Sink>>,
    workers: Workers,
    settler: Settler,
}

impl TestRuntime {
    /// Opens a session and starts the apalis workers. The builder must use the same clock.
    ///
    /// # Panics
    /// When the builder can't be built.
    pub async fn start(builder: Builder, clock: Arc<ManualClock>) -> Self {
        let parts = builder.build().expect("the runtime can be built").parts;
        let (shared, mut workers) =
            RuntimeShared::assemble(parts, Shutdown::new()).expect("the runtime can start");
        open_first_session(&shared, &mut shared.dedicated_conn()).await;
        let sinks = std::mem::take(&mut workers.sinks);
        let settler = Settler::new(Arc::clone(&shared));
        Self { shared, clock, sinks, workers, settler }
    }

    /// Sets the clock to `at` and runs due jobs, and the jobs that these make due, until none is left. Returns the jobs
    /// that were started, in the order of their end.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn run_due_jobs(&mut self, at: DateTime<Utc>) -> Vec<JobRun> {
        self.clock.set(at);
        let mut conn = self.shared.pool.acquire().await.expect("Postgres answers");
        let mut ran = Vec::new();
        loop {
            // Real time may have passed since the last call; nothing else ends this session.
            self.shared.heartbeat.record(self.shared.session(), tokio::time::Instant::now());
            while promote::promote(&mut conn, self.clock.now(), 1000).await.expect("promotes").jobs > 0 {}
            let claimed = self.claim(&mut conn).await;
            if claimed.is_empty() {
                return ran;
            }
            let mut pending = claimed.len();
            for claimed in claimed {
                self.begin(claimed);
            }
            while pending > 0 {
                let report = self.workers.reports.recv().await.expect("the workers run");
                pending -= 1;
                if report.ran.is_some() {
                    let info = report.ctx.info();
                    ran.push(JobRun { id: info.id, kind: info.kind.clone(), attempt: info.attempt });
                }
                self.settler.settle(std::iter::once(report)).await;
            }
            self.settler.finish().await;
        }
    }

    async fn claim(&self, conn: &mut PgConnection) -> Vec<claim::Claimed> {
        let (session, now) = (self.shared.session(), self.clock.now());
        let (queues, kinds) = (&self.shared.queue_names, &self.shared.kind_names);
        let mut claimed = Vec::new();
        for queue in queues {
            claimed.extend(claim::ready(conn, session, queue, kinds, 100, now, None).await.expect("claims"));
        }
        claimed.extend(claim::rescued(conn, session, queues, kinds, now).await.expect("claims"));
        claimed
    }

    fn begin(&self, claimed: claim::Claimed) {
        let ctx = self.shared.hold(claimed);
        let transition = match resolve_start(
            ctx.claimed(),
            self.clock.now(),
            Duration::ZERO,
            true,
            self.shared.retries_poison(&ctx.info().kind),
        ) {
            Some(transition) => transition,
            None => match self.sinks.get(&ctx.info().kind).map(|sink| sink.feed(ctx.clone())) {
                Some(Ok(())) | None => return,
                Some(Err(error)) => undecodable(&error),
            },
        };
        self.workers.reporter.not_started(ctx, transition);
    }
}
