//! The leader's occasional work: gauges of queue depth, pruning, and jobs of kinds that no worker handles.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use super::{BATCH, MIN_ROUND};
use crate::finish_reason::FinishReason;
use crate::job::JobState;
use crate::ops::{QueueStatus, depths};
use crate::runtime::dedicated_conn::{CallError, DedicatedConn};
use crate::runtime::kind::FinalJob;
use crate::runtime::metrics;
use crate::runtime::shared::RuntimeShared;
use crate::store::{prune, unknown};

/// Jobs of unknown kinds ended in one transaction.
const UNKNOWN_BATCH: i64 = 100;
const DEPTH_INTERVAL: Duration = Duration::from_secs(15);
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const KEEP_COMPLETED: TimeDelta = TimeDelta::hours(24);
const KEEP_OTHER: TimeDelta = TimeDelta::days(7);

/// When each task is due next.
pub(super) struct Maintenance {
    next_depth: Instant,
    next_prune: Instant,
    last_unknown: Instant,
}

impl Maintenance {
    pub(super) fn new(shared: &RuntimeShared) -> Self {
        let now = Instant::now();
        let last_unknown = now + PRUNE_INTERVAL.min(shared.timing.unknown);
        Self { next_depth: now, next_prune: now + PRUNE_INTERVAL, last_unknown }
    }

    /// Runs the tasks that are due. `kinds_trusted` is whether the recorded times of kinds can be compared with now.
    pub(super) async fn run(
        &mut self,
        shared: &RuntimeShared,
        db: &mut DedicatedConn,
        kinds_trusted: bool,
    ) -> Result<(), CallError> {
        let (statement, now) = (shared.timing.statement, shared.now());
        if Instant::now() >= self.next_depth {
            let started = Instant::now();
            let queues = db.call(statement, async |conn| depths(conn, now).await).await?;
            for name in &shared.queue_names {
                set_gauges(queues.iter().find(|queue| queue.queue == *name), name, now);
            }
            // Counting takes at most 2 % of the leader's time, however many jobs there are.
            self.next_depth = Instant::now() + DEPTH_INTERVAL.max(started.elapsed() * 50);
        }
        if Instant::now() >= self.next_prune {
            let (completed, other) = (now - KEEP_COMPLETED, now - KEEP_OTHER);
            let pruned =
                db.call(statement, async |conn| prune::jobs(conn, completed, other, BATCH).await).await?;
            metrics::pruned(pruned);
            // A full batch means that more jobs are old enough.
            let is_full = pruned == BATCH.unsigned_abs();
            self.next_prune = Instant::now() + if is_full { MIN_ROUND } else { PRUNE_INTERVAL };
            db.call(statement, async |conn| prune::sessions(conn, DAY).await).await?;
        }
        if kinds_trusted && Instant::now() >= self.last_unknown {
            // Set before the call: a failing hook is retried after the interval, not each round.
            self.last_unknown = Instant::now() + shared.timing.unknown;
            let ended = db.call(statement, async |conn| end_unknown(shared, conn).await).await?;
            // A full batch means that there may be more.
            if ended == usize::try_from(UNKNOWN_BATCH).unwrap_or(usize::MAX) {
                self.last_unknown = Instant::now() + MIN_ROUND;
            }
        }
        Ok(())
    }
}

/// Resets the leader's gauges when another process leads.
pub(super) fn clear_gauges(shared: &RuntimeShared) {
    shared.queue_names.iter().for_each(|name| set_gauges(None, name, shared.now()));
}

/// Sets the gauges of a queue; `None`: it is empty.
fn set_gauges(queue: Option<&QueueStatus>, name: &str, now: DateTime<Utc>) {
    let count = |of: fn(&QueueStatus) -> i64| queue.map_or(0, of);
    for (state, jobs) in [
        (JobState::Scheduled, count(|queue| queue.scheduled)),
        (JobState::Available, count(|queue| queue.available)),
        (JobState::Running, count(|queue| queue.running)),
        (JobState::Retryable, count(|queue| queue.retryable)),
        (JobState::Discarded, count(|queue| queue.discarded)),
    ] {
        metrics::jobs(name, state.as_str(), jobs);
    }
    metrics::paused(name, queue.is_some_and(|queue| queue.paused));
    let oldest = queue.map(|queue| queue.oldest_due_age(now)).unwrap_or_default();
    metrics::due(name, count(|queue| queue.available), oldest);
}

/// Ends a batch of jobs whose kind no worker has handled for a day, in one transaction with their hook. Returns how many.
pub(crate) async fn end_unknown(
    shared: &RuntimeShared,
    conn: &mut PgConnection,
) -> Result<usize, sqlx::Error> {
    let mut tx = conn.begin().await?;
    let ended =
        unknown::end(&mut tx, shared.now(), DAY, &FinishReason::Unknown.note(), UNKNOWN_BATCH).await?;
    let mut after_commit = Vec::new();
    for claimed in &ended {
        let why = match claimed.stop {
            Some(JobState::Cancelled) => FinishReason::Cancelled,
            Some(_) => FinishReason::Discarded,
            None => FinishReason::Unknown,
        };
        let job = FinalJob { info: claimed.info.clone(), args: claimed.args.clone(), why };
        let Some(hook) = &shared.unknown_hook else { continue };
        match hook(&mut tx, &job).await {
            Ok(act) => after_commit.extend(act),
            Err(error) => {
                tracing::error!(job_id = %job.info.id, kind = job.info.kind, error = %error, "on_unknown failed: the job is kept");
                tx.rollback().await?;
                return Ok(0);
            }
        }
    }
    tx.commit().await?;
    for act in after_commit {
        act();
    }
    for claimed in &ended {
        metrics::outcome(&claimed.info, claimed.stop.unwrap_or(JobState::Discarded).as_str());
        tracing::warn!(job_id = %claimed.info.id, kind = claimed.info.kind, "ended: no worker takes its kind");
    }
    Ok(ended.len())
}
