//! Running what is due, in the test's own time.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::clock::{Clock as _, ManualClock};
use crate::job::JobId;
use crate::runtime::internals::{self as runtime, Crew, LeaseEnd, Settler, Sink, Start, Workers, open_first};
use crate::runtime::{Builder, Shutdown};
use crate::store::{claim, promote};

/// A job that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// How often it was begun, this time included.
    pub attempt: i32,
}

/// Ends jobs of kinds that no worker has taken for a day, as a runtime of this builder does while it leads; answers how
/// many.
///
/// # Panics
/// When the builder can't be built or Postgres does not answer.
pub async fn end_unknown(builder: Builder) -> usize {
    let parts = builder.build().expect("the runtime can be built").parts;
    let (crew, _workers) = Crew::assemble(parts, Shutdown::new()).expect("the runtime can start");
    let mut conn = crew.pool.acquire().await.expect("Postgres answers");
    runtime::end_unknown(&crew, &mut conn).await.expect("Postgres answers")
}

/// A runtime that claims only when told to: the same handlers under the same apalis workers, the same statements, no
/// leader, no polling, no limits.
pub struct TestRuntime {
    crew: Arc<Crew>,
    clock: Arc<ManualClock>,
    sinks: HashMap<String, Box<dyn Sink>>,
    workers: Workers,
    settler: Settler,
}

impl TestRuntime {
    /// Opens a session and starts the apalis workers. The builder must have been given the same clock.
    ///
    /// # Panics
    /// When the builder can't be built.
    pub async fn start(builder: Builder, clock: Arc<ManualClock>) -> Self {
        let parts = builder.build().expect("the runtime can be built").parts;
        let (crew, mut workers) = Crew::assemble(parts, Shutdown::new()).expect("the runtime can start");
        open_first(&crew, &mut crew.link()).await;
        let sinks = std::mem::take(&mut workers.sinks);
        let settler = Settler::new(Arc::clone(&crew));
        Self { crew, clock, sinks, workers, settler }
    }

    /// Moves the clock to `at` and runs what is due, and what that makes due, until nothing is. Answers what was begun,
    /// in the order of its end.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn run_due_jobs(&mut self, at: DateTime<Utc>) -> Vec<Ran> {
        self.clock.set(at);
        let mut conn = self.crew.pool.acquire().await.expect("Postgres answers");
        let mut ran = Vec::new();
        loop {
            // The session may have fallen silent while the test did other things: here nobody ends it.
            self.crew.pulse.beat(self.crew.session(), tokio::time::Instant::now());
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
                let report = self.workers.settle.recv().await.expect("the workers run");
                pending -= 1;
                if let LeaseEnd::Ran(..) = report.end {
                    let info = report.ctx.info();
                    ran.push(Ran { id: info.id, kind: info.kind.clone(), attempt: info.attempt });
                }
                self.settler.settle(std::iter::once(report)).await;
            }
            self.settler.finish().await;
        }
    }

    async fn claim(&self, conn: &mut PgConnection) -> Vec<claim::Claimed> {
        let (session, now) = (self.crew.session(), self.clock.now());
        let (queues, kinds) = (&self.crew.queue_names, &self.crew.kind_names);
        let mut claimed = Vec::new();
        for queue in queues {
            claimed.extend(claim::ready(conn, session, queue, kinds, 100, now, None).await.expect("claims"));
        }
        claimed.extend(claim::rescued(conn, session, queues, kinds, now).await.expect("claims"));
        claimed
    }

    fn begin(&self, claimed: claim::Claimed) {
        let ctx = self.crew.hold(claimed);
        let start = Start::judge(ctx.claimed(), self.clock.now(), std::time::Duration::ZERO, true);
        let verdict = match start {
            Start::Not(verdict) => verdict,
            Start::Now => match self.sinks.get(&ctx.info().kind).map(|sink| sink.feed(ctx.clone())) {
                Some(Ok(())) | None => return,
                Some(Err(error)) => Start::undecodable(&error),
            },
        };
        self.workers.reporter.report(ctx, LeaseEnd::Unrun(verdict));
    }
}
