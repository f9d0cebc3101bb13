//! Writes the transitions of leases: in batches, retried until Postgres answers.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use sqlx::Connection;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::backend::Report;
use super::dedicated_conn::{CallError, DedicatedConn};
use super::kind::{FinalJob, Hook};
use super::metrics;
use super::shared::RuntimeShared;
use crate::context::JobContext;
use crate::error::BoxError;
use crate::finish_reason::FinishReason;
use crate::store::transition::{LeaseTransition, Transition, apply};

/// Transitions per statement at most. The next batch gathers while one is being written.
const BATCH: usize = 500;
/// Concurrent transactions with an `on_final` hook.
const HOOKS: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Writes until all reporters are gone and everything is written.
pub(crate) async fn run(shared: Arc<RuntimeShared>, mut reports: mpsc::UnboundedReceiver<Report>) {
    let mut settler = Settler::new(shared);
    let mut gathered = Vec::with_capacity(BATCH);
    while reports.recv_many(&mut gathered, BATCH).await > 0 {
        settler.settle(gathered.drain(..)).await;
    }
    settler.finish().await;
}

/// A lease and the transition to write for it.
struct Ending {
    ctx: JobContext,
    started: bool,
    transition: Transition,
}

impl Ending {
    fn lease_transition(&self) -> LeaseTransition {
        LeaseTransition {
            id: self.ctx.id(),
            lease_seq: self.ctx.lease_seq(),
            started: self.started,
            transition: self.transition.clone(),
        }
    }
}

/// Writes the transitions of leases.
pub(crate) struct Settler {
    shared: Arc<RuntimeShared>,
    db: DedicatedConn,
    hooks: JoinSet<()>,
    permits: Arc<Semaphore>,
}

impl Settler {
    pub(crate) fn new(shared: Arc<RuntimeShared>) -> Self {
        let db = shared.dedicated_conn();
        Self { shared, db, hooks: JoinSet::new(), permits: Arc::new(Semaphore::new(HOOKS)) }
    }

    /// Writes the transitions without a hook, and spawns a transaction for each one with a hook.
    pub(crate) async fn settle(&mut self, reports: impl Iterator<Item = Report>) {
        let mut batch = Vec::new();
        for Report { ctx, ran, transition } in reports {
            if let Some(took) = ran {
                metrics::ran(ctx.info(), took);
            }
            let ending = Ending { ctx, started: ran.is_some(), transition };
            match (&ending.transition, self.shared.hooks.get(&ending.ctx.info().kind)) {
                (Transition::AlreadyCompleted, _) => count(&self.shared, &ending, Written::Changed),
                (Transition::LeaseLost, _) => count(&self.shared, &ending, Written::Fenced),
                (Transition::Finish(reason), Some(hook)) => {
                    let (reason, hook) = (reason.clone(), Arc::clone(hook));
                    let (shared, permits) = (Arc::clone(&self.shared), Arc::clone(&self.permits));
                    self.hooks.spawn(async move {
                        let finishing = finish_with_hook(&shared, &permits, &ending, reason, &hook);
                        if AssertUnwindSafe(finishing).catch_unwind().await.is_err() {
                            tracing::error!(job_id = %ending.ctx.id(), "on_final panicked: the job is ended after its rescue");
                            shared.give_up(&ending.ctx);
                        }
                    });
                }
                _ => batch.push(ending),
            }
        }
        write(&self.shared, &mut self.db, batch, self.shared.now()).await;
        self.shared.settled.notify_one();
        while self.hooks.try_join_next().is_some() {}
    }

    /// Waits for the transactions with hooks.
    pub(crate) async fn finish(&mut self) {
        while self.hooks.join_next().await.is_some() {}
    }
}

/// Writes a batch. One that Postgres rejects for its content is halved until the rejected transition is alone; its lease
/// then lasts until the session ends.
async fn write(shared: &RuntimeShared, db: &mut DedicatedConn, batch: Vec<Ending>, now: DateTime<Utc>) {
    let mut stack = vec![batch];
    let mut pause = FIRST_PAUSE;
    // An earlier try may have been committed and its answer lost.
    let mut unsure = false;
    while let Some(mut batch) = stack.pop() {
        if batch.is_empty() {
            continue;
        }
        let transitions: Vec<LeaseTransition> = batch.iter().map(Ending::lease_transition).collect();
        let written =
            db.call(shared.timing.statement, async |conn| apply(conn, &transitions, now).await).await;
        match written {
            Ok(changed) => {
                pause = FIRST_PAUSE;
                let changed: HashSet<_> = changed.into_iter().collect();
                for ending in &batch {
                    let written = Written::of(shared, ending, changed.contains(&ending.ctx.id()), unsure);
                    count(shared, ending, written);
                }
                unsure &= !stack.is_empty();
            }
            Err(CallError::Database(error)) if !is_transient(&error) => {
                if batch.len() == 1 {
                    let ctx = &batch[0].ctx;
                    shared.give_up(ctx);
                    tracing::error!(job_id = %ctx.id(), error = %error, "the end of a job can't be written down");
                } else {
                    let half = batch.split_off(batch.len() / 2);
                    stack.push(half);
                    stack.push(batch);
                }
            }
            Err(error) => {
                unsure = true;
                metrics::database_error("settle");
                tracing::warn!(error = %error, jobs = batch.len(), "ends of jobs wait for Postgres");
                stack.push(batch);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

/// Ends a job in one transaction with its kind's hook, retried until it succeeds. In a shutdown it gives up after three
/// tries: the session ends, and another worker rescues and ends the job.
async fn finish_with_hook(
    shared: &RuntimeShared,
    permits: &Semaphore,
    ending: &Ending,
    reason: FinishReason,
    hook: &Hook,
) {
    let ctx = &ending.ctx;
    let job = FinalJob { info: ctx.info().clone(), args: ctx.claimed().args.clone(), why: reason };
    let mut pause = FIRST_PAUSE;
    let mut unsure = false;
    for tries in 1.. {
        let permit = permits.acquire().await;
        let finished = try_finish(shared, ending, &job, hook).await;
        drop(permit);
        match finished {
            Ok(changed) => {
                count(shared, ending, Written::of(shared, ending, changed, unsure));
                return shared.settled.notify_one();
            }
            Err(error) => {
                unsure = true;
                metrics::database_error("on_final");
                tracing::warn!(job_id = %ctx.id(), error = %error, "ending a job with on_final failed");
                // A hook that fails for long holds up no other rescued job.
                ctx.release_rescue_slot();
            }
        }
        if shared.shutdown.is_draining() && tries >= 3 {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE * 30);
    }
}

async fn try_finish(
    shared: &RuntimeShared,
    ending: &Ending,
    job: &FinalJob,
    hook: &Hook,
) -> Result<bool, BoxError> {
    let mut conn = shared.pool.acquire().await?;
    let finishing = async {
        let mut tx = conn.begin().await?;
        // The hook runs first: owners that cancel a job lock their own rows before the job's row, too.
        let after_commit = hook(&mut tx, job).await?;
        let changed = !apply(&mut tx, &[ending.lease_transition()], shared.now()).await?.is_empty();
        if changed {
            tx.commit().await?;
            if let Some(act) = after_commit {
                act();
            }
        } else {
            tx.rollback().await?;
        }
        Ok::<_, BoxError>(changed)
    };
    let result = tokio::time::timeout(shared.timing.statement, finishing).await;
    if !matches!(result, Ok(Ok(_))) {
        conn.close_on_drop();
    }
    result?
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// The transition is stored.
    Changed,
    /// The handler completed the job in its own transaction, whose commit it could not confirm.
    CompletedByHandler,
    /// Another process owns the job.
    Fenced,
}

impl Written {
    /// While the lease is fresh no other process can own the job. A row that is unchanged all the same was written by an
    /// earlier try of this write whose answer was lost (`unsure`), or by the handler's own transaction.
    fn of(shared: &RuntimeShared, ending: &Ending, changed: bool, unsure: bool) -> Self {
        if changed {
            return Self::Changed;
        }
        match (shared.heartbeat.is_fresh(ending.ctx.claimed().session), unsure) {
            (true, true) => Self::Changed,
            (true, false) => Self::CompletedByHandler,
            (false, _) => Self::Fenced,
        }
    }
}

/// Releases the lease and counts its outcome.
fn count(shared: &RuntimeShared, ending: &Ending, written: Written) {
    let ctx = &ending.ctx;
    shared.release(ctx);
    match written {
        Written::Changed => metrics::outcome(ctx.info(), ending.transition.outcome()),
        Written::CompletedByHandler => metrics::outcome(ctx.info(), Transition::AlreadyCompleted.outcome()),
        Written::Fenced => {
            metrics::fenced(ctx.info());
            tracing::warn!(job_id = %ctx.id(), lease_seq = ctx.lease_seq(), "a late end was fenced");
        }
    }
}

/// Whether the same statement can succeed later: any error except one in the data or the statement.
fn is_transient(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else {
        return true;
    };
    !matches!(code.get(..2), Some("22" | "23" | "42"))
}
