//! The leader is one process that works for all: it promotes due jobs, rescues jobs of dead processes, enqueues periodic
//! jobs and prunes.

pub(super) mod maintenance;
mod server_time;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use maintenance::{Maintenance, clear_gauges};
use server_time::ServerTime;

use super::dedicated_conn::{CallError, DedicatedConn};
use super::metrics;
use super::periodic::Periodic;
use super::shared::RuntimeShared;
use crate::enqueue::enqueue;
use crate::ids::new_id;
use crate::store::{leader, promote, rescue, ticks};

/// Jobs promoted or rescued by one statement, and statements in a round before the lease is renewed.
const BATCH: i64 = 2000;
const BATCHES: usize = 10;
/// After a step of Postgres' clock it takes this long until all workers have recorded their kinds again.
const KINDS_TRUSTED_AFTER: Duration = Duration::from_mins(20);
/// Rounds are at least this far apart.
const MIN_ROUND: Duration = Duration::from_millis(20);

/// Tries to become the leader each round, and does the leader's work while it is, until it is dropped.
pub(crate) async fn run(shared: Arc<RuntimeShared>, token: Uuid) {
    let mut leader = Leader {
        db: shared.dedicated_conn(),
        token,
        maintenance: Maintenance::new(&shared),
        ticks: HashMap::new(),
        server_time: ServerTime::default(),
        shared,
    };
    let mut led = false;
    loop {
        let round = leader.round().await;
        let shared = &leader.shared;
        let leads = matches!(round, Ok(Round::Led { .. }));
        if leads != led {
            tracing::info!(leads, "the lead changed");
            led = leads;
            if !leads {
                clear_gauges(shared);
            }
        }
        metrics::leads(leads);
        let longest = shared.timing.leader_round;
        let pause = match round {
            Ok(Round::Led { next_due }) => {
                let until_due = next_due.map(|due| (due - shared.now()).to_std().unwrap_or_default());
                until_due.unwrap_or(longest).clamp(MIN_ROUND, longest)
            }
            Ok(Round::AnotherLeads) => longest,
            Err(error) => {
                metrics::database_error("leader");
                tracing::debug!(error = %error, "the leader's round failed");
                longest
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Releases the leader lease in a shutdown, so that another process leads within a second.
pub(crate) async fn resign(shared: &RuntimeShared, token: Uuid) {
    let mut db = shared.dedicated_conn();
    let resigned = db.call(shared.timing.beat_deadline, async |conn| leader::resign(conn, token).await).await;
    if let Err(error) = resigned {
        tracing::debug!(error = %error, "the lead is left to expire");
    }
}

/// A new token, which identifies this process in the leader lease.
pub(crate) fn token(shared: &RuntimeShared) -> Uuid {
    new_id(shared.now())
}

struct Leader {
    shared: Arc<RuntimeShared>,
    db: DedicatedConn,
    token: Uuid,
    maintenance: Maintenance,
    /// The last tick of each periodic job that this process handled.
    ticks: HashMap<&'static str, DateTime<Utc>>,
    server_time: ServerTime,
}

/// The result of a round.
enum Round {
    AnotherLeads,
    /// This process leads; the next waiting job is due then.
    Led {
        next_due: Option<DateTime<Utc>>,
    },
}

impl Leader {
    async fn round(&mut self) -> Result<Round, CallError> {
        let shared = Arc::clone(&self.shared);
        let timing = shared.timing;
        let (token, session) = (self.token, shared.session());
        let leads = self.db.call(timing.statement, async |conn| {
            leader::lead(conn, token, session, timing.leader_lease).await
        });
        let Some(server_now) = leads.await? else { return Ok(Round::AnotherLeads) };
        self.server_time.record(server_now);
        // Not soon after this process reconnected, or after the clock of Postgres stepped: heartbeats may look old
        // although their processes live.
        if self.db.age() >= timing.ttl && self.server_time.is_steady_for(timing.ttl) {
            self.rescue_dead().await?;
        }
        let all_promoted = self.promote().await?;
        for periodic in &shared.periodic {
            self.enqueue_tick(periodic).await?;
        }
        let steady = self.server_time.is_steady_for(KINDS_TRUSTED_AFTER);
        self.maintenance.run(&shared, &mut self.db, steady).await?;
        if !all_promoted {
            return Ok(Round::Led { next_due: Some(shared.now()) });
        }
        let next_due = self.db.call(timing.statement, async |conn| promote::next_due(conn).await).await?;
        Ok(Round::Led { next_due })
    }

    async fn rescue_dead(&mut self) -> Result<(), CallError> {
        let (ttl, statement) = (self.shared.timing.ttl, self.shared.timing.statement);
        let slack = self.shared.timing.beat;
        let corrected =
            self.db.call(statement, async |conn| rescue::correct_beats_ahead(conn, slack).await).await?;
        if corrected > 0 {
            tracing::warn!(sessions = corrected, "heartbeats lay ahead of the clock of Postgres");
        }
        let ended = self.db.call(statement, async |conn| rescue::end_expired(conn, ttl, ttl).await).await?;
        if ended > 0 {
            tracing::warn!(sessions = ended, "sessions fell silent and were ended");
        }
        let (now, patient) = (self.shared.now(), &self.shared.poison_retrying_kinds);
        let rescued =
            self.db.call(statement, async |conn| rescue::rescue(conn, now, patient, BATCH).await).await?;
        if rescued.jobs > 0 {
            metrics::rescued(rescued.jobs);
            tracing::warn!(jobs = rescued.jobs, "jobs of dead processes were taken back");
            rescued.queues.iter().for_each(|queue| self.shared.wake.wake(queue));
        }
        Ok(())
    }

    /// Promotes due jobs; false when there may be more.
    async fn promote(&mut self) -> Result<bool, CallError> {
        for _ in 0..BATCHES {
            let (now, statement) = (self.shared.now(), self.shared.timing.statement);
            let promoted =
                self.db.call(statement, async |conn| promote::promote(conn, now, BATCH).await).await?;
            metrics::promoted(promoted.jobs);
            promoted.queues.iter().for_each(|queue| self.shared.wake.wake(queue));
            if promoted.jobs < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Enqueues the job of the current tick unless it was enqueued before.
    async fn enqueue_tick(&mut self, periodic: &Periodic) -> Result<(), CallError> {
        let shared = &self.shared;
        let tick = periodic.tick(shared.now());
        if self.ticks.get(periodic.name) != Some(&tick) {
            self.db
                .call(shared.timing.statement, async |conn| enqueue_tick(shared, conn, periodic, tick).await)
                .await?;
            self.ticks.insert(periodic.name, tick);
        }
        Ok(())
    }
}

/// Records a tick and enqueues its job, in one transaction.
async fn enqueue_tick(
    shared: &RuntimeShared,
    conn: &mut PgConnection,
    periodic: &Periodic,
    tick: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin().await?;
    if !ticks::note(&mut tx, periodic.name, tick, periodic.every).await? {
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
    match enqueue(&mut tx, shared.now(), job).await {
        Ok(_) => {}
        Err(crate::error::Error::Database(error)) => return Err(error),
        Err(error) => tracing::warn!(periodic = periodic.name, error = %error, "a tick made no job"),
    }
    tx.commit().await?;
    shared.wake.wake(queue);
    Ok(())
}
