//! What one process does for all: promotes due jobs, rescues those of dead processes, makes periodic ones, prunes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

use super::crew::Crew;
use super::kind::{Ended, FinalJob};
use super::link::{Link, LinkError, within};
use super::metrics;
use super::periodic::Periodic;
use crate::enqueue::enqueue;
use crate::ids::new_id;
use crate::job::JobState;
use crate::ops::{QueueStatus, depths};
use crate::store::{leader, promote, prune, rescue, ticks, unknown};

/// Jobs promoted or rescued by one statement, and statements in a round before the lead is renewed.
const BATCH: i64 = 2000;
const BATCHES: usize = 10;
/// Jobs of unknown kinds ended in one transaction.
const UNKNOWN_BATCH: i64 = 100;
/// The promoter is never busier than this.
const SHORTEST_ROUND: Duration = Duration::from_millis(20);
const DEPTH: Duration = Duration::from_secs(15);
const PRUNE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const KEEP_COMPLETED: TimeDelta = TimeDelta::hours(24);
const KEEP_OTHER: TimeDelta = TimeDelta::days(7);

/// When something is next to be done.
struct Chores {
    depth: Instant,
    prune: Instant,
    unknown: Instant,
    ticks: HashMap<&'static str, DateTime<Utc>>,
}

/// Tries to lead each round and does the leader's work while it does, until it is dropped.
pub(crate) async fn run(crew: Arc<Crew>, token: Uuid) {
    let mut link = crew.link();
    let now = Instant::now();
    let (prune, unknown) = (now + PRUNE, now + PRUNE.min(crew.timing.unknown));
    let mut chores = Chores { depth: now, prune, unknown, ticks: HashMap::new() };
    let mut led = false;
    loop {
        let round = round(&crew, &mut link, token, &mut chores).await;
        let round = link.check(round);
        let leads = matches!(round, Ok(Some(_)));
        if leads != led {
            tracing::info!(leads, "the lead changed");
            led = leads;
            if !leads {
                crew.queue_names.iter().for_each(|name| show(None, name, crew.now()));
            }
        }
        metrics::leads(leads);
        let pause = match round {
            Ok(Some(next_due)) => {
                let until_due = next_due.map(|due| (due - crew.now()).to_std().unwrap_or_default());
                until_due.unwrap_or(crew.timing.leader_round).clamp(SHORTEST_ROUND, crew.timing.leader_round)
            }
            Ok(None) => crew.timing.leader_round,
            Err(error) => {
                metrics::database_error("leader");
                tracing::debug!(error = %error, "the leader's round failed");
                crew.timing.leader_round
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Gives up the lead in a shutdown, so that another process has it within a second.
pub(crate) async fn resign(crew: &Crew, token: Uuid) {
    let mut link = crew.link();
    let resigned =
        within(crew.timing.beat_deadline, async { leader::resign(link.open().await?, token).await }).await;
    if let Err(error) = resigned {
        tracing::debug!(error = %error, "the lead is left to expire");
    }
}

/// A token for a process that may lead.
pub(crate) fn token(crew: &Crew) -> Uuid {
    new_id(crew.now())
}

/// One round: `None` when another process leads, else when the next waiting job falls due.
async fn round(
    crew: &Crew,
    link: &mut Link,
    token: Uuid,
    chores: &mut Chores,
) -> Result<Option<Option<DateTime<Utc>>>, LinkError> {
    let timing = crew.timing;
    let leads = within(timing.statement, async {
        leader::lead(link.open().await?, token, crew.session(), timing.leader_lease).await
    });
    if !leads.await? {
        return Ok(None);
    }
    // After its own reconnect nothing is rescued for a while: others may have been cut off as well.
    let may_rescue = link.age() >= timing.ttl;
    let conn = link.open().await?;
    if may_rescue {
        rescue_dead(crew, conn).await?;
    }
    let mut more = true;
    for _ in 0..BATCHES {
        let promoted = within(timing.statement, promote::promote(conn, crew.now(), BATCH)).await?;
        metrics::promoted(promoted.jobs);
        promoted.queues.iter().for_each(|queue| crew.wake.wake(queue));
        more = promoted.jobs == usize::try_from(BATCH).unwrap_or(usize::MAX);
        if !more {
            break;
        }
    }
    for periodic in &crew.periodic {
        let tick = periodic.tick(crew.now());
        if chores.ticks.get(periodic.name) != Some(&tick) {
            within(timing.statement, make(crew, conn, periodic, tick)).await?;
            chores.ticks.insert(periodic.name, tick);
        }
    }
    chore(crew, conn, chores).await?;
    if more {
        return Ok(Some(Some(crew.now())));
    }
    Ok(Some(within(timing.statement, promote::next_due(conn)).await?))
}

async fn rescue_dead(crew: &Crew, conn: &mut PgConnection) -> Result<(), LinkError> {
    let ended =
        within(crew.timing.statement, rescue::end_silent(conn, crew.timing.ttl, crew.timing.ttl)).await?;
    if ended > 0 {
        tracing::warn!(sessions = ended, "sessions fell silent and were ended");
    }
    let rescued = within(crew.timing.statement, rescue::rescue(conn, BATCH)).await?;
    if rescued.jobs > 0 {
        metrics::rescued(rescued.jobs);
        tracing::warn!(jobs = rescued.jobs, "jobs of dead processes were taken back");
        rescued.queues.iter().for_each(|queue| crew.wake.wake(queue));
    }
    Ok(())
}

/// Makes the job of a tick, unless one was made before.
async fn make(
    crew: &Crew,
    conn: &mut PgConnection,
    periodic: &Periodic,
    tick: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin().await?;
    if !ticks::note(&mut tx, periodic.name, tick).await? {
        return tx.rollback().await;
    }
    let job = match (periodic.make)(tick) {
        Ok(job) => job,
        Err(error) => {
            tracing::error!(periodic = periodic.name, error = %error, "a periodic job could not be made");
            return tx.commit().await;
        }
    };
    let queue = job.queue;
    match enqueue(&mut tx, crew.now(), job).await {
        Ok(_) => {}
        Err(crate::Error::Database(error)) => return Err(error),
        Err(error) => tracing::warn!(periodic = periodic.name, error = %error, "a tick made no job"),
    }
    tx.commit().await?;
    crew.wake.wake(queue);
    Ok(())
}

/// What is due only now and then.
async fn chore(crew: &Crew, conn: &mut PgConnection, chores: &mut Chores) -> Result<(), LinkError> {
    let (statement, now) = (crew.timing.statement, crew.now());
    if Instant::now() >= chores.depth {
        let began = Instant::now();
        let queues = within(statement, depths(conn, now)).await?;
        for name in &crew.queue_names {
            show(queues.iter().find(|queue| queue.queue == *name), name, now);
        }
        // However many jobs there are, counting them takes a small part of the leader's time.
        chores.depth = Instant::now() + DEPTH.max(began.elapsed() * 50);
    }
    if Instant::now() >= chores.prune {
        let pruned =
            within(statement, prune::jobs(conn, now - KEEP_COMPLETED, now - KEEP_OTHER, BATCH)).await?;
        metrics::pruned(pruned);
        // A full batch means that more is waiting.
        let full = pruned == BATCH.unsigned_abs();
        chores.prune = Instant::now() + if full { SHORTEST_ROUND } else { PRUNE };
        within(statement, prune::sessions(conn, DAY)).await?;
    }
    if Instant::now() >= chores.unknown {
        // Set first: a hook that fails is not called each second.
        chores.unknown = Instant::now() + crew.timing.unknown;
        let ended = within(statement, end_unknown(crew, conn)).await?;
        // A full batch means that more is waiting.
        if ended == usize::try_from(UNKNOWN_BATCH).unwrap_or(usize::MAX) {
            chores.unknown = Instant::now() + SHORTEST_ROUND;
        }
    }
    Ok(())
}

/// How full a queue is, for the metrics; `None`: it is empty, or another process leads and tells.
fn show(queue: Option<&QueueStatus>, name: &str, now: DateTime<Utc>) {
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
    let oldest = queue.map(|queue| queue.oldest_due_age(now)).unwrap_or_default();
    metrics::due(name, count(|queue| queue.available), oldest);
}

/// Ends jobs of kinds that no worker has taken for a day, in one transaction with the hook for them.
pub(crate) async fn end_unknown(crew: &Crew, conn: &mut PgConnection) -> Result<usize, sqlx::Error> {
    let mut tx = conn.begin().await?;
    let ended = unknown::end(&mut tx, crew.now(), DAY, &Ended::Unknown.note(), UNKNOWN_BATCH).await?;
    for claimed in &ended {
        let why = match claimed.stop {
            Some(JobState::Cancelled) => Ended::Cancelled,
            Some(_) => Ended::Discarded,
            None => Ended::Unknown,
        };
        let job = FinalJob { info: claimed.info.clone(), args: claimed.args.clone(), why };
        if let Some(hook) = &crew.unknown_hook
            && let Err(error) = hook(&mut tx, &job).await
        {
            tracing::error!(job_id = %job.info.id, kind = job.info.kind, error = %error, "on_unknown failed: the job is kept");
            tx.rollback().await?;
            return Ok(0);
        }
    }
    tx.commit().await?;
    for claimed in &ended {
        metrics::outcome(&claimed.info, claimed.stop.unwrap_or(JobState::Discarded).as_str());
        tracing::warn!(job_id = %claimed.info.id, kind = claimed.info.kind, "ended: no worker takes its kind");
    }
    Ok(ended.len())
}
