//! What a worker process is made of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use apalis_core::task::extensions::Extensions;
use sqlx::{PgConnection, PgPool};

use super::kind::{FinalJob, Hook, HookFuture, Kind};
use super::periodic::Periodic;
use crate::clock::SharedClock;
use crate::error::{Error, Result};
use crate::limits::Limit;

/// How a worker serves a queue.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(crate) name: &'static str,
    pub(crate) concurrency: u32,
    pub(crate) weight: u32,
    pub(crate) limit: Option<Limit>,
    pub(crate) key_limit: Option<Limit>,
}

impl Queue {
    /// A queue of which up to 32 jobs run at once in this process, with weight 1 and without limits.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, concurrency: 32, weight: 1, limit: None, key_limit: None }
    }

    /// How many of its jobs run at once in this process, at least 1.
    #[must_use]
    pub const fn concurrency(self, jobs: u32) -> Self {
        Self { concurrency: jobs, ..self }
    }

    /// Its share, against other queues' weights, of the process' permits while these are scarce; at least 1.
    #[must_use]
    pub const fn weight(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// How many of its jobs start in a time, over all workers, unless set otherwise at run time.
    #[must_use]
    pub const fn limit(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// How many of its jobs with the same `limit_key` start in a time, over all workers.
    #[must_use]
    pub const fn key_limit(self, limit: Limit) -> Self {
        Self { key_limit: Some(limit), ..self }
    }
}

/// The durations of leases and polling. The defaults are what the promises are made with; tests shorten them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Timing {
    /// Between polls for work, which also bounds how late a hint that got lost is noticed: 1 s.
    pub poll: Duration,
    /// Between reads of pauses, limits and requests to stop: 1 s.
    pub control: Duration,
    /// Between heartbeats: 3 s.
    pub beat: Duration,
    /// How long a heartbeat may take: 2 s.
    pub beat_deadline: Duration,
    /// After which a silent session counts as dead: 15 s.
    pub ttl: Duration,
    /// After which a process without a confirmed heartbeat trusts its leases no more: 10 s.
    pub self_fence: Duration,
    /// How long a leader leads without renewing: 10 s.
    pub leader_lease: Duration,
    /// Between the leader's rounds (renew, promote, rescue, periodic): 1 s.
    pub leader_round: Duration,
    /// Between the leader's looks for jobs whose kind nobody takes: 1 h; the first comes a minute after its start.
    pub unknown: Duration,
    /// How long running jobs may finish once a shutdown was asked for: 30 s.
    pub grace: Duration,
    /// How long any other statement may take: 10 s.
    pub statement: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            control: Duration::from_secs(1),
            beat: Duration::from_secs(3),
            beat_deadline: Duration::from_secs(2),
            ttl: Duration::from_secs(15),
            self_fence: Duration::from_secs(10),
            leader_lease: Duration::from_secs(10),
            leader_round: Duration::from_secs(1),
            unknown: Duration::from_hours(1),
            grace: Duration::from_secs(30),
            statement: Duration::from_secs(10),
        }
    }
}

/// Puts a [`Runtime`] together.
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    pub(crate) pool: PgPool,
    pub(crate) clock: SharedClock,
    pub(crate) redis: Option<String>,
    pub(crate) prefix: String,
    pub(crate) name: String,
    pub(crate) concurrency: u32,
    pub(crate) timing: Timing,
    pub(crate) queues: BTreeMap<&'static str, Queue>,
    pub(crate) kinds: BTreeMap<&'static str, Kind>,
    pub(crate) periodic: Vec<Periodic>,
    pub(crate) data: Extensions,
    pub(crate) unknown_hook: Option<Hook>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("queues", &self.queues)
            .field("kinds", &self.kinds)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// The Redis that carries wake-ups and cluster-wide limits, and a prefix for its keys; without one the worker polls
    /// and limits its own share.
    pub fn redis(mut self, url: Option<&str>, prefix: &str) -> Self {
        self.redis = url.map(str::to_owned);
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// What people see as the worker's name: host and process id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How many jobs of all queues together run at once in this process: 64 unless set.
    pub fn concurrency(mut self, jobs: u32) -> Self {
        self.concurrency = jobs.max(1);
        self
    }

    /// Other durations than the default ones: for tests, and for the grace period.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Serves a queue as this says; the queue of a kind that is not named here is served with [`Queue::new`].
    pub fn queue(mut self, queue: Queue) -> Self {
        self.queues.insert(queue.name, queue);
        self
    }

    /// A value that handlers take as `Data<T>`.
    pub fn data<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.data.insert(value);
        self
    }

    /// Runs jobs of a kind.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.queues.entry(kind.queue).or_insert_with(|| Queue::new(kind.queue));
        self.kinds.insert(kind.name, kind);
        self
    }

    /// Called where [`Kind::on_final`] can't be: in the very transaction in which this process, while it leads, ends a
    /// job whose kind no worker has taken for a day. [`FinalJob::args`] is the payload as it was stored. An error rolls
    /// it back; it is tried again an hour later, with all others of its batch.
    pub fn on_unknown<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a mut PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.unknown_hook = Some(Arc::new(hook));
        self
    }

    /// Enqueues jobs by the clock while this process leads.
    pub fn periodic(mut self, periodic: Periodic) -> Self {
        self.periodic.push(periodic);
        self
    }

    /// The runtime.
    ///
    /// # Errors
    /// [`Error::Configuration`] when there is no kind to run or a duration can't keep its promise.
    pub fn build(self) -> Result<Runtime> {
        if self.kinds.is_empty() {
            return Err(Error::Configuration("a runtime needs at least one kind of job".to_owned()));
        }
        if self.timing.self_fence >= self.timing.ttl || self.timing.beat >= self.timing.self_fence {
            return Err(Error::Configuration("heartbeat < self-fence < time to live must hold".to_owned()));
        }
        Ok(Runtime { parts: self })
    }
}

/// A worker process' runtime: claims jobs, runs them, writes down how they ended, and may lead.
#[derive(Debug)]
#[must_use = "a runtime does nothing until it is run"]
pub struct Runtime {
    pub(crate) parts: Builder,
}

impl Runtime {
    /// Begins to put a runtime together. Due times are compared with `clock`; handlers' own connections come from where
    /// they like, the runtime takes the address of Postgres from `pool` and opens the connections it needs itself.
    pub fn builder(pool: PgPool, clock: SharedClock) -> Builder {
        Builder {
            pool,
            clock,
            redis: None,
            prefix: String::new(),
            name: process_name(),
            concurrency: 64,
            timing: Timing::default(),
            queues: BTreeMap::new(),
            kinds: BTreeMap::new(),
            periodic: Vec::new(),
            data: Extensions::new(),
            unknown_hook: None,
        }
    }
}

/// Host and process id; the host is left out where the system does not tell.
fn process_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let pid = std::process::id();
    if host.trim().is_empty() { format!("pid {pid}") } else { format!("{} pid {pid}", host.trim()) }
}
