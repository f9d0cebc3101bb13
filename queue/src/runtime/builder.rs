//! Configuration of a worker process.

use std::collections::BTreeMap;
use std::sync::Arc;

use apalis_core::task::extensions::Extensions;
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;

use super::kind::{FinalJob, Hook, HookFuture, Kind};
use super::periodic::Periodic;
use crate::clock::SharedClock;
use crate::error::{Error, Result};
use crate::limits::limit::Limit;
use crate::timing::Timing;

/// How a worker serves a queue.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(crate) name: &'static str,
    pub(crate) concurrency: u32,
    pub(crate) capacity: Option<watch::Receiver<u32>>,
    pub(crate) weight: u32,
    pub(crate) limit: Option<Limit>,
    pub(crate) key_limit: Option<Limit>,
}

impl Queue {
    /// Up to 32 jobs at once in this process, weight 1, no limits.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, concurrency: 32, capacity: None, weight: 1, limit: None, key_limit: None }
    }

    /// How many of its jobs run at once in this process, at least 1.
    #[must_use]
    pub fn concurrency(self, jobs: u32) -> Self {
        Self { concurrency: jobs, ..self }
    }

    /// A bound that changes: no more than this many of its jobs run at once, and never more than [`Self::concurrency`]; with
    /// 0 this process claims none. For jobs that would otherwise wait in this process, such as for a connection to a slow
    /// server: those not claimed can run in another process, and a more urgent one can still overtake them.
    #[must_use]
    pub fn capacity(self, jobs: watch::Receiver<u32>) -> Self {
        Self { capacity: Some(jobs), ..self }
    }

    /// Its share of the process' permits, relative to the weights of other queues, while permits are scarce. At least 1.
    #[must_use]
    pub fn weight(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// How many of its jobs start per period, over all workers, unless overridden at run time.
    #[must_use]
    pub fn limit(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// How many of its jobs with the same `limit_key` start per period, over all workers.
    #[must_use]
    pub fn key_limit(self, limit: Limit) -> Self {
        Self { key_limit: Some(limit), ..self }
    }
}

/// Configures a [`Runtime`].
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    pub(crate) pool: PgPool,
    pub(crate) clock: SharedClock,
    pub(crate) redis: Option<String>,
    pub(crate) prefix: String,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
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
    /// The Redis for wake-ups and limits over all workers, and a prefix of its keys. Without one the worker polls and
    /// enforces its own share of each limit.
    pub fn redis(mut self, url: Option<&str>, prefix: &str) -> Self {
        self.redis = url.map(str::to_owned);
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// The worker's display name; host and process id unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The program's version, for operators.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// How many jobs of all queues run at once in this process: 64 unless set.
    pub fn concurrency(mut self, jobs: u32) -> Self {
        self.concurrency = jobs.max(1);
        self
    }

    /// Overrides the default durations: for tests, and for the grace period.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Configures a queue. The queue of a kind that is not configured is served with [`Queue::new`].
    pub fn queue(mut self, queue: Queue) -> Self {
        self.queues.insert(queue.name, queue);
        self
    }

    /// A value that handlers receive as `Data<T>`.
    pub fn data<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.data.insert(value);
        self
    }

    /// Handles jobs of a kind.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.queues.entry(kind.queue).or_insert_with(|| Queue::new(kind.queue));
        self.kinds.insert(kind.name, kind);
        self
    }

    /// Called in the transaction in which this process, as the leader, ends a job whose kind no worker has handled for a
    /// day. [`FinalJob::args`] is the stored payload. An error rolls back the whole batch; it is retried an hour later.
    pub fn on_unknown<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a mut PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.unknown_hook = Some(Arc::new(hook));
        self
    }

    /// Enqueues periodic jobs while this process is the leader.
    pub fn periodic(mut self, periodic: Periodic) -> Self {
        self.periodic.push(periodic);
        self
    }

    /// Builds the runtime.
    ///
    /// # Errors
    /// [`Error::Configuration`] when there is no kind, or unless heartbeat < self-fence < time to live.
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

/// The runtime of a worker process: claims jobs, runs them, writes their transitions, and may become the leader.
#[derive(Debug)]
#[must_use = "a runtime does nothing until it is run"]
pub struct Runtime {
    pub(crate) parts: Builder,
}

impl Runtime {
    /// Starts to configure a runtime. Due times are compared with `clock`. The runtime takes the connect options from
    /// `pool` and opens its own connections; it uses `pool` for `on_final` hooks only.
    pub fn builder(pool: PgPool, clock: SharedClock) -> Builder {
        Builder {
            pool,
            clock,
            redis: None,
            prefix: String::new(),
            name: process_name(),
            version: None,
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

/// Host and process id; only the process id where the host name is unknown.
fn process_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let pid = std::process::id();
    if host.trim().is_empty() { format!("pid {pid}") } else { format!("{} pid {pid}", host.trim()) }
}
