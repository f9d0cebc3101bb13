//! What a handler knows of its job, and how it and the runtime agree on when it may still be stopped.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use apalis_core::task::Task;
use apalis_core::task::data::MissingDataError;
use apalis_core::task::from_request::FromRequest;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::SharedClock;
use crate::error::{Error, Result};
use crate::job::JobId;
use crate::store::claim::Claimed;
use crate::store::settle;
use crate::trace::TraceContext;
use crate::wake::Wake;

/// Why the runtime stops a job that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Its owner or an operator cancelled it.
    Cancelled,
    /// An operator discarded it.
    Discarded,
    /// The grace period of a shutdown is over: it is given back, no attempt burned.
    ShuttingDown,
    /// This process lost its lease: another one runs the job.
    LeaseLost,
    /// It took longer than its kind may.
    TimedOut,
}

/// The heartbeat that all jobs of a process look at.
#[derive(Debug)]
pub(crate) struct Pulse {
    origin: Instant,
    beat_millis: AtomicU64,
    session: Mutex<Uuid>,
    pub(crate) self_fence: Duration,
}

impl Pulse {
    pub(crate) fn new(session: Uuid, self_fence: Duration) -> Arc<Self> {
        let pulse = Self {
            origin: Instant::now(),
            beat_millis: AtomicU64::new(0),
            session: Mutex::new(session),
            self_fence,
        };
        Arc::new(pulse)
    }

    /// Notes a heartbeat that was sent at `sent` and has been confirmed for `session`.
    pub(crate) fn beat(&self, session: Uuid, sent: Instant) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
        let millis = sent.saturating_duration_since(self.origin).as_millis();
        self.beat_millis.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    pub(crate) fn age(&self) -> Duration {
        self.origin.elapsed().saturating_sub(Duration::from_millis(self.beat_millis.load(Ordering::SeqCst)))
    }

    pub(crate) fn session(&self) -> Uuid {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process may still act on a lease of `session`.
    pub(crate) fn is_fresh(&self, session: Uuid) -> bool {
        self.session() == session && self.age() < self.self_fence
    }
}

/// The facts of a claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// Its id.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its kind.
    pub kind: String,
    /// How often it was begun, this time included: 1 at first.
    pub attempt: i32,
    /// A failure of this attempt or a later one discards it.
    pub max_attempts: i32,
    /// The fencing token of this lease: grows with each claim of the job.
    pub lease_seq: i64,
    /// When it was due.
    pub run_at: DateTime<Utc>,
    /// From this instant on it is not run.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// How often in a row the process that ran it died.
    pub rescues: i16,
    /// How often it put itself off.
    pub snoozes: i32,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// The key whose limit it shares.
    pub limit_key: Option<String>,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
}

const CAN_STOP: u8 = 0;
const PAST_RETURN: u8 = 1;
const STOPPED: u8 = 2;

#[derive(Debug)]
struct Lease {
    claimed: Claimed,
    pulse: Arc<Pulse>,
    phase: AtomicU8,
    stop: CancellationToken,
    reason: OnceLock<StopReason>,
    completed: AtomicBool,
}

/// A handler's view of its job: take it as an argument after the payload.
#[derive(Clone)]
pub struct JobContext {
    lease: Arc<Lease>,
    clock: SharedClock,
    wake: Wake,
}

impl std::fmt::Debug for JobContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobContext").field("id", &self.id()).field("lease_seq", &self.lease_seq()).finish()
    }
}

impl JobContext {
    pub(crate) fn new(claimed: Claimed, pulse: Arc<Pulse>, clock: SharedClock, wake: Wake) -> Self {
        let lease = Lease {
            claimed,
            pulse,
            phase: AtomicU8::new(CAN_STOP),
            stop: CancellationToken::new(),
            reason: OnceLock::new(),
            completed: AtomicBool::new(false),
        };
        Self { lease: Arc::new(lease), clock, wake }
    }

    /// All facts of the job.
    #[must_use]
    pub fn info(&self) -> &JobInfo {
        &self.lease.claimed.info
    }

    /// Id of the job.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.lease.claimed.info.id
    }

    /// How often the job was begun, this time included: 1 at first.
    #[must_use]
    pub fn attempt(&self) -> i32 {
        self.lease.claimed.info.attempt
    }

    /// Whether a failure of this attempt discards the job.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.lease.claimed.info.attempt >= self.lease.claimed.info.max_attempts
    }

    /// The fencing token of this lease: grows with each claim of the job. A store that remembers the highest one it saw
    /// can turn away a worker that was replaced.
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

    /// How long ago the last heartbeat that Postgres confirmed was sent.
    #[must_use]
    pub fn heartbeat_age(&self) -> Duration {
        self.lease.pulse.age()
    }

    /// Whether no other worker can own the job yet: the session lives and its last heartbeat is younger than the
    /// self-fence (10 s, against the 15 s after which it counts as dead). Ask before what can't be taken back.
    #[must_use]
    pub fn lease_is_fresh(&self) -> bool {
        self.lease.pulse.is_fresh(self.lease.claimed.session)
    }

    /// From here on the runtime never stops the job: not on cancel, timeout, shutdown or loss of the lease. Answers
    /// whether the job may go on; if not, it is being stopped and should return.
    #[must_use]
    pub fn point_of_no_return(&self) -> bool {
        let phase = &self.lease.phase;
        match phase.compare_exchange(CAN_STOP, PAST_RETURN, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => true,
            Err(found) => found == PAST_RETURN,
        }
    }

    /// Completes the job in the handler's own transaction: the work and the job's end commit together. The handler then
    /// returns [`crate::Outcome::Done`].
    ///
    /// # Errors
    /// [`Error::Fenced`] when another worker owns the job by now: roll back. [`Error::Database`].
    pub async fn complete_in(&self, conn: &mut PgConnection) -> Result<()> {
        if settle::complete(conn, self.id(), self.lease_seq(), self.clock.now()).await? {
            self.lease.completed.store(true, Ordering::SeqCst);
            return Ok(());
        }
        Err(Error::Fenced(self.id()))
    }

    /// Whether [`Self::complete_in`] was called with success; its transaction may still have failed.
    pub(crate) fn completed_itself(&self) -> bool {
        self.lease.completed.load(Ordering::SeqCst)
    }

    /// The row as it was claimed.
    pub(crate) fn claimed(&self) -> &Claimed {
        &self.lease.claimed
    }

    /// Asks the job to stop; answers whether it will. The first reason stands.
    pub(crate) fn stop(&self, reason: StopReason) -> bool {
        let phase = &self.lease.phase;
        if phase.compare_exchange(CAN_STOP, STOPPED, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return false;
        }
        let _ = self.lease.reason.set(reason);
        self.lease.stop.cancel();
        true
    }

    /// Ends when the job is asked to stop.
    pub(crate) async fn stopped(&self) -> StopReason {
        self.lease.stop.cancelled().await;
        self.lease.reason.get().copied().unwrap_or(StopReason::Cancelled)
    }
}

impl<Args: Sync> FromRequest<Task<Args>> for JobContext {
    type Error = MissingDataError;

    async fn from_request(task: &Task<Args>) -> Result<Self, Self::Error> {
        task.data().get_checked().cloned()
    }
}
