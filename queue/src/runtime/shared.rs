//! State shared by the tasks of a runtime.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::backend::{Report, Reporter};
use super::builder::{Builder, Queue};
use super::dedicated_conn::DedicatedConn;
use super::kind::{Hook, Sink};
use super::leases::Leases;
use super::periodic::Periodic;
use super::shutdown::Shutdown;
use crate::clock::SharedClock;
use crate::context::JobContext;
use crate::error::Result;
use crate::heartbeat::Heartbeat;
use crate::ids::new_id;
use crate::notifier::Notifier;
use crate::store::claim::Claimed;
use crate::timing::Timing;
use crate::wake::Wake;

/// State shared by the tasks of a runtime.
pub(crate) struct RuntimeShared {
    pub(crate) pool: PgPool,
    /// How dedicated connections are opened.
    pub(crate) options: PgConnectOptions,
    pub(crate) clock: SharedClock,
    pub(crate) wake: Wake,
    /// Queues with wake-ups for the dispatcher of this process.
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) timing: Timing,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    /// Permits of the process: jobs of all queues that run at once.
    pub(crate) concurrency: u32,
    pub(crate) queues: Vec<Queue>,
    pub(crate) queue_names: Vec<String>,
    pub(crate) kind_names: Vec<String>,
    /// Kinds by queue.
    pub(crate) kinds_of: HashMap<String, Vec<String>>,
    /// `on_final` by kind.
    pub(crate) hooks: HashMap<String, Hook>,
    pub(crate) unknown_hook: Option<Hook>,
    /// Kinds with [`super::Kind::retry_poison_until_expiry`].
    pub(crate) poison_retrying_kinds: Vec<String>,
    pub(crate) periodic: Vec<Periodic>,
    pub(crate) heartbeat: Arc<Heartbeat>,
    /// Notified when a new session replaces a lost one.
    pub(crate) session_changed: Notify,
    /// Live sessions by queue, as of the last heartbeat.
    pub(crate) serving: Mutex<HashMap<String, u32>>,
    pub(crate) shutdown: Shutdown,
    /// Notified after ends were written, for a dispatcher that waits for them.
    pub(crate) settled: Notify,
    /// Notified when another job may start.
    permit_freed: Arc<Notify>,
    leases: Mutex<Leases>,
}

/// The apalis workers of a runtime and their channels.
pub(crate) struct Workers {
    pub(crate) sinks: HashMap<String, Box<dyn Sink>>,
    pub(crate) reporter: Reporter,
    pub(crate) reports: mpsc::UnboundedReceiver<Report>,
    pub(crate) permit_freed: Arc<Notify>,
    pub(crate) running: JoinSet<()>,
}

impl RuntimeShared {
    /// Starts an apalis worker for each kind of the builder.
    pub(crate) fn assemble(parts: Builder, shutdown: Shutdown) -> Result<(Arc<Self>, Workers)> {
        let wake = Wake::connect_with(parts.redis.as_deref(), &parts.prefix)?;
        let notifier = Arc::new(Notifier::default());
        let (report, reports) = mpsc::unbounded_channel();
        let permit_freed = Arc::new(Notify::new());
        let reporter = Reporter::new(report, Arc::clone(&permit_freed));
        let (mut sinks, mut hooks) = (HashMap::new(), HashMap::new());
        let mut kinds_of: HashMap<String, Vec<String>> = HashMap::new();
        let mut running = JoinSet::new();
        let (mut kind_names, mut poison_retrying_kinds) = (Vec::new(), Vec::new());
        for (name, kind) in parts.kinds {
            kinds_of.entry(kind.queue.to_owned()).or_default().push(name.to_owned());
            kind_names.push(name.to_owned());
            if kind.retries_poison {
                poison_retrying_kinds.push(name.to_owned());
            }
            if let Some(hook) = kind.hook {
                hooks.insert(name.to_owned(), hook);
            }
            let (sink, run) = (kind.start)(parts.data.clone(), reporter.clone(), kind.timeout);
            sinks.insert(name.to_owned(), sink);
            running.spawn(run);
        }
        let queues: BTreeMap<_, _> = parts.queues;
        let heartbeat = Heartbeat::new(new_id(parts.clock.now()), parts.timing.self_fence);
        let shared = Self {
            options: (*parts.pool.connect_options()).clone().application_name("punctual-queue"),
            pool: parts.pool,
            clock: parts.clock,
            wake: wake.with_local(Arc::clone(&notifier)),
            notifier,
            timing: parts.timing,
            name: parts.name,
            version: parts.version,
            concurrency: parts.concurrency,
            queue_names: queues.keys().map(|name| (*name).to_owned()).collect(),
            queues: queues.into_values().collect(),
            kind_names,
            kinds_of,
            hooks,
            unknown_hook: parts.unknown_hook,
            poison_retrying_kinds,
            periodic: parts.periodic,
            heartbeat,
            session_changed: Notify::new(),
            serving: Mutex::default(),
            shutdown,
            settled: Notify::new(),
            permit_freed: Arc::clone(&permit_freed),
            leases: Mutex::default(),
        };
        Ok((Arc::new(shared), Workers { sinks, reporter, reports, permit_freed, running }))
    }

    /// Whether a job of this kind is retried for any number of deaths of its process.
    pub(crate) fn retries_poison(&self, kind: &str) -> bool {
        self.poison_retrying_kinds.iter().any(|patient| patient == kind)
    }

    /// A connection for one task.
    pub(crate) fn dedicated_conn(&self) -> DedicatedConn {
        DedicatedConn::new(self.options.clone())
    }

    /// The number of live sessions that serve a queue, at least 1.
    pub(crate) fn sessions_serving(&self, queue: &str) -> u32 {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        serving.get(queue).copied().unwrap_or(1).max(1)
    }

    /// Registers a lease that was just claimed.
    pub(crate) fn hold(&self, claimed: Claimed) -> JobContext {
        self.leases().hold(claimed.info.id, claimed.info.lease_seq);
        JobContext::new(
            claimed,
            Arc::clone(&self.heartbeat),
            SharedClock::clone(&self.clock),
            self.wake.clone(),
            Arc::clone(&self.permit_freed),
        )
    }

    /// Unregisters a lease: its end is written, or another process owns the job.
    pub(crate) fn release(&self, ctx: &JobContext) {
        self.leases().release(ctx.id(), ctx.lease_seq());
        ctx.release_rescue_slot();
    }

    /// Marks a lease whose end can't be written.
    pub(crate) fn give_up(&self, ctx: &JobContext) {
        self.leases().give_up(ctx.id(), ctx.lease_seq());
        ctx.release_rescue_slot();
    }

    /// The leases of this process whose transitions are not written.
    pub(crate) fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn session(&self) -> Uuid {
        self.heartbeat.session()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
