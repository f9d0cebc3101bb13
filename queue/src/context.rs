//! A handler's view of its job, and the handshake that decides whether the runtime may still stop it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use apalis_core::task::Task;
use apalis_core::task::data::MissingDataError;
use apalis_core::task::from_request::FromRequest;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::error::{Error, Result};
use crate::heartbeat::Heartbeat;
use crate::ids::JobId;
use crate::job_info::JobInfo;
use crate::outcome::{CompletedInTransaction, Outcome};
use crate::store::claim::Claimed;
use crate::store::transition;
use crate::wake::Wake;

/// Why the runtime stops a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Its owner or an operator cancelled it.
    Cancelled,
    /// An operator discarded it.
    Discarded,
    /// The grace period of a shutdown is over. The job becomes available again; no attempt is burned.
    ShuttingDown,
    /// This process lost its lease: another one may run the job.
    LeaseLost,
    /// It ran longer than the timeout of its kind.
    TimedOut,
}

/// The runtime may stop the job.
const STOPPABLE: u8 = 0;
/// The handler passed [`JobContext::point_of_no_return`].
const UNSTOPPABLE: u8 = 1;
/// The runtime stops the job.
const STOPPED: u8 = 2;

#[derive(Debug)]
struct Lease {
    claimed: Claimed,
    heartbeat: Arc<Heartbeat>,
    phase: AtomicU8,
    stop: CancellationToken,
    stop_reason: OnceLock<StopReason>,
    ended: AtomicBool,
    rescue_slot_released: AtomicBool,
}

/// A handler's view of its job. A handler takes it as an argument after the payload.
#[derive(Clone)]
pub struct JobContext {
    lease: Arc<Lease>,
    clock: SharedClock,
    wake: Wake,
    /// Tells the dispatcher that another job may start.
    permit_freed: Arc<Notify>,
}

impl std::fmt::Debug for JobContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobContext").field("id", &self.id()).field("lease_seq", &self.lease_seq()).finish()
    }
}

impl JobContext {
    pub(crate) fn new(
        claimed: Claimed,
        heartbeat: Arc<Heartbeat>,
        clock: SharedClock,
        wake: Wake,
        permit_freed: Arc<Notify>,
    ) -> Self {
        let lease = Lease {
            claimed,
            heartbeat,
            phase: AtomicU8::new(STOPPABLE),
            stop: CancellationToken::new(),
            stop_reason: OnceLock::new(),
            ended: AtomicBool::new(false),
            rescue_slot_released: AtomicBool::new(false),
        };
        Self { lease: Arc::new(lease), clock, wake, permit_freed }
    }

    /// The job's data.
    #[must_use]
    pub fn info(&self) -> &JobInfo {
        &self.lease.claimed.info
    }

    /// Id of the job.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.lease.claimed.info.id
    }

    /// Number of this attempt; the first is 1.
    #[must_use]
    pub fn attempt(&self) -> i32 {
        self.lease.claimed.info.attempt
    }

    /// Whether a failure of this attempt discards the job.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.lease.claimed.info.attempt >= self.lease.claimed.info.max_attempts
    }

    /// The fencing token of this lease: increases with each claim of the job. A store that remembers the highest token
    /// it saw can reject a worker that was replaced.
    #[must_use]
    pub fn lease_seq(&self) -> i64 {
        self.lease.claimed.info.lease_seq
    }

    /// The present instant by the runtime's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Wakes the workers of a queue after the handler has committed jobs for it.
    pub fn wake(&self, queue: &str) {
        self.wake.wake(queue);
    }

    /// Age of the last heartbeat that Postgres confirmed, counted from when it was sent.
    #[must_use]
    pub fn heartbeat_age(&self) -> Duration {
        self.lease.heartbeat.age()
    }

    /// Whether no other worker can own the job: the session is alive and its last heartbeat is younger than the
    /// self-fence (10 s; a session counts as dead after 15 s). Check it before a side effect that can't be undone.
    #[must_use]
    pub fn lease_is_fresh(&self) -> bool {
        self.lease.heartbeat.is_fresh(self.lease.claimed.session)
    }

    /// From this call on the runtime never stops the job: not on cancel, timeout, shutdown or loss of the lease.
    /// False when the job is already being stopped: return without the side effect.
    #[must_use]
    pub fn point_of_no_return(&self) -> bool {
        let phase = &self.lease.phase;
        match phase.compare_exchange(STOPPABLE, UNSTOPPABLE, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => true,
            Err(found) => found == UNSTOPPABLE,
        }
    }

    /// Says that from here on the job waits for another system. Rescued jobs run one at a time in a process, each after the end
    /// of the previous one is written, so that the next death of the process is attributed to one of them. After this call
    /// the next one may start beside this job. Without it, each rescued job that waits long holds up all others.
    pub fn release_rescue_slot(&self) {
        let released = self.lease.rescue_slot_released.swap(true, Ordering::SeqCst);
        if self.lease.claimed.info.rescues > 0 && !released {
            self.permit_freed.notify_one();
        }
    }

    /// Completes the job in the handler's own transaction: the work and the job's end commit together. Commit, then
    /// return the [`Outcome`] that this gives.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another worker owns the job: roll back. [`Error::Database`].
    pub async fn complete_in(&self, conn: &mut PgConnection) -> Result<Outcome> {
        let outcomes = Self::complete_all_in(conn, &[self]).await?;
        outcomes.into_iter().next().flatten().ok_or_else(|| Error::Fenced(self.id()))
    }

    /// [`Self::complete_in`] for several jobs by one statement. The outcomes are in the order of the jobs; `None` for a job
    /// that another worker owns.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn complete_all_in(conn: &mut PgConnection, jobs: &[&Self]) -> Result<Vec<Option<Outcome>>> {
        let Some(now) = jobs.first().map(|job| job.now()) else { return Ok(Vec::new()) };
        let leases: Vec<(JobId, i64)> = jobs.iter().map(|job| (job.id(), job.lease_seq())).collect();
        let completed: HashSet<JobId> = transition::complete(conn, &leases, now).await?.into_iter().collect();
        // The statement returns ids: an earlier lease of the same job must not count the later one's completion as its own.
        let is_latest = |job: &Self| {
            jobs.iter().all(|other| other.id() != job.id() || other.lease_seq() <= job.lease_seq())
        };
        let outcome = |job: &&Self| {
            (completed.contains(&job.id()) && is_latest(job))
                .then(|| Outcome::Completed(CompletedInTransaction::new()))
        };
        Ok(jobs.iter().map(outcome).collect())
    }

    /// The row as it was claimed.
    pub(crate) fn claimed(&self) -> &Claimed {
        &self.lease.claimed
    }

    /// Requests the job to stop. False if it passed its point of no return, or a stop was requested before.
    pub(crate) fn stop(&self, reason: StopReason) -> bool {
        let phase = &self.lease.phase;
        if phase.compare_exchange(STOPPABLE, STOPPED, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return false;
        }
        let _ = self.lease.stop_reason.set(reason);
        self.lease.stop.cancel();
        true
    }

    /// Resolves when a stop is requested.
    pub(crate) async fn stopped(&self) -> StopReason {
        self.lease.stop.cancelled().await;
        self.lease.stop_reason.get().copied().unwrap_or(StopReason::Cancelled)
    }

    /// Records that the run has ended: its permit is free.
    pub(crate) fn set_ended(&self) {
        self.lease.ended.store(true, Ordering::SeqCst);
    }

    /// Whether no other rescued job may run beside it.
    pub(crate) fn holds_rescue_slot(&self) -> bool {
        self.lease.claimed.info.rescues > 0 && !self.lease.rescue_slot_released.load(Ordering::SeqCst)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lease.ended.load(Ordering::SeqCst)
    }
}

impl<Args: Sync> FromRequest<Task<Args>> for JobContext {
    type Error = MissingDataError;

    async fn from_request(task: &Task<Args>) -> Result<Self, Self::Error> {
        task.data().get_checked().cloned()
    }
}
