//! Writes down how leases ended: in batches, again and again until Postgres answers.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use sqlx::Connection;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::backend::{LeaseEnd, Report};
use super::crew::Crew;
use super::judge::{Verdict, ending, judge};
use super::kind::{Ended, FinalJob, Hook};
use super::link::{Link, LinkError, within};
use super::metrics;
use crate::context::JobContext;
use crate::error::BoxError;
use crate::job::JobState;
use crate::store::settle::{Settle, Settlement, settle};

/// At most so many ends in one statement; while one is under way the next batch gathers.
const BATCH: usize = 500;
/// At most so many transactions with an `on_final` at once.
const HOOKS: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Settles until all who could report are gone and everything is written down.
pub(crate) async fn run(crew: Arc<Crew>, mut reports: mpsc::UnboundedReceiver<Report>) {
    let mut settler = Settler::new(crew);
    let mut gathered = Vec::with_capacity(BATCH);
    while reports.recv_many(&mut gathered, BATCH).await > 0 {
        settler.settle(gathered.drain(..)).await;
    }
    settler.finish().await;
}

/// Writes down how leases ended.
pub(crate) struct Settler {
    crew: Arc<Crew>,
    link: Link,
    hooks: JoinSet<()>,
    permits: Arc<Semaphore>,
    rng: SmallRng,
}

impl Settler {
    pub(crate) fn new(crew: Arc<Crew>) -> Self {
        let link = crew.link();
        let permits = Arc::new(Semaphore::new(HOOKS));
        Self { crew, link, hooks: JoinSet::new(), permits, rng: SmallRng::from_os_rng() }
    }

    /// Writes down what needs no hook and begins to end what does.
    pub(crate) async fn settle(&mut self, reports: impl Iterator<Item = Report>) {
        let now = self.crew.now();
        let mut batch = Vec::new();
        for Report { ctx, end } in reports {
            let (verdict, begun) = match end {
                LeaseEnd::Unrun(verdict) => (verdict, false),
                LeaseEnd::Ran(took, end) => {
                    metrics::ran(ctx.info(), took);
                    (judge(ctx.info(), end, now, &mut self.rng), true)
                }
            };
            match (verdict, self.crew.hooks.get(&ctx.info().kind)) {
                (Verdict::Settle(settle), _) => batch.push((ctx, settle)),
                (Verdict::End(ended), None) => batch.push((ctx, ending(&ended, begun))),
                (Verdict::End(ended), Some(hook)) => {
                    let (crew, hook, permits) =
                        (Arc::clone(&self.crew), Arc::clone(hook), Arc::clone(&self.permits));
                    self.hooks.spawn(async move {
                        let _permit = permits.acquire_owned().await;
                        end_with_hook(&crew, &ctx, ended, begun, &hook).await;
                    });
                }
                (Verdict::Nothing, _) => {
                    self.crew.release(&ctx);
                    metrics::fenced(ctx.info());
                }
            }
        }
        write(&self.crew, &mut self.link, batch, now).await;
        self.crew.settled.notify_one();
        while self.hooks.try_join_next().is_some() {}
    }

    /// Waits for the transactions with hooks.
    pub(crate) async fn finish(&mut self) {
        while self.hooks.join_next().await.is_some() {}
    }
}

/// Writes a batch down. One that Postgres refuses for what is in it is halved until the culprit stands alone, which is
/// left to its lease's end.
async fn write(crew: &Crew, link: &mut Link, batch: Vec<(JobContext, Settle)>, now: DateTime<Utc>) {
    let mut stack = vec![batch];
    let mut pause = FIRST_PAUSE;
    // Whether a try before may have been written down, its answer cut off.
    let mut unsure = false;
    while let Some(mut batch) = stack.pop() {
        if batch.is_empty() {
            continue;
        }
        let settlements: Vec<Settlement> = batch
            .iter()
            .map(|(ctx, settle)| Settlement {
                id: ctx.id(),
                lease_seq: ctx.lease_seq(),
                settle: settle.clone(),
            })
            .collect();
        let written =
            within(crew.timing.statement, async { settle(link.open().await?, &settlements, now).await })
                .await;
        match link.check(written) {
            Ok(changed) => {
                pause = FIRST_PAUSE;
                let changed: std::collections::HashSet<_> = changed.into_iter().collect();
                for (ctx, settle) in &batch {
                    let written = unsure && ctx.claimed().session == crew.session();
                    count(crew, ctx, settle, written || changed.contains(&ctx.id()));
                }
                unsure &= !stack.is_empty();
            }
            Err(LinkError::Database(error)) if !is_passing(&error) => {
                if batch.len() == 1 {
                    let ctx = &batch[0].0;
                    crew.leases().give_up(ctx.id(), ctx.lease_seq());
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
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Ends a job in one transaction with its kind's hook, until that succeeds. In a shutdown it gives up after a few tries:
/// the session ends, the job is rescued and ended by another worker.
async fn end_with_hook(crew: &Crew, ctx: &JobContext, ended: Ended, begun: bool, hook: &Hook) {
    let written = ending(&ended, begun);
    let mut unsure = false;
    let job = FinalJob { info: ctx.info().clone(), args: ctx.claimed().args.clone(), why: ended };
    let mut pause = FIRST_PAUSE;
    for tries in 1.. {
        match try_end(crew, ctx, &written, &job, hook).await {
            Ok(changed) => {
                let changed = changed || unsure && ctx.claimed().session == crew.session();
                count(crew, ctx, &written, changed);
                return crew.settled.notify_one();
            }
            Err(error) => {
                unsure = true;
                metrics::database_error("on_final");
                tracing::warn!(job_id = %ctx.id(), error = %error, "ending a job with on_final failed");
            }
        }
        if crew.shutdown.is_draining() && tries >= 3 {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE * 30);
    }
}

async fn try_end(
    crew: &Crew,
    ctx: &JobContext,
    written: &Settle,
    job: &FinalJob,
    hook: &Hook,
) -> Result<bool, BoxError> {
    let mut conn = crew.pool.acquire().await?;
    let ending = async {
        let mut tx = conn.begin().await?;
        // The hook goes first: whoever cancels a job locks what it is about before the job, too.
        hook(&mut tx, job).await?;
        let settlement = Settlement { id: ctx.id(), lease_seq: ctx.lease_seq(), settle: written.clone() };
        let changed = !settle(&mut tx, &[settlement], crew.now()).await?.is_empty();
        if changed {
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok::<_, BoxError>(changed)
    };
    let result = tokio::time::timeout(crew.timing.statement, ending).await;
    if !matches!(result, Ok(Ok(_))) {
        conn.close_on_drop();
    }
    result?
}

/// A lease of the session that still lives can't be fenced: what such a one left unchanged was ended by the handler, or
/// by a try whose answer was cut off (`changed` then).
fn count(crew: &Crew, ctx: &JobContext, settle: &Settle, changed: bool) {
    crew.release(ctx);
    if !changed {
        // A handler that completed its job itself has left nothing to change.
        if ctx.completed_itself() {
            metrics::outcome(ctx.info(), JobState::Completed.as_str());
        } else {
            metrics::fenced(ctx.info());
            tracing::warn!(job_id = %ctx.id(), lease_seq = ctx.lease_seq(), "a late end was fenced");
        }
        return;
    }
    let outcome = match settle {
        Settle::Completed { .. } => "completed",
        Settle::Retry { .. } => "retried",
        Settle::Snooze { .. } => "snoozed",
        Settle::Slot { .. } => "limited",
        Settle::GiveBack => "given_back",
        Settle::End { state, .. } => state.as_str(),
    };
    metrics::outcome(ctx.info(), outcome);
}

/// Whether the same statement can succeed later: anything but an error in the data or in the statement.
fn is_passing(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else {
        return true;
    };
    !matches!(code.get(..2), Some("22" | "23" | "42"))
}
