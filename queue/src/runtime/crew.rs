//! What the tasks of a runtime share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::backend::{Report, Reporter};
use super::builder::{Builder, Queue, Timing};
use super::kind::{Hook, Sink};
use super::leases::Leases;
use super::link::Link;
use super::periodic::Periodic;
use super::shutdown::Shutdown;
use crate::clock::SharedClock;
use crate::context::{JobContext, Pulse};
use crate::ids::new_id;
use crate::job::JobId;
use crate::store::claim::Claimed;
use crate::wake::{Bell, Wake};

/// What the tasks of a runtime share.
pub(crate) struct Crew {
    pub(crate) pool: PgPool,
    pub(crate) options: PgConnectOptions,
    pub(crate) clock: SharedClock,
    pub(crate) wake: Wake,
    pub(crate) bell: Arc<Bell>,
    pub(crate) timing: Timing,
    pub(crate) name: String,
    pub(crate) concurrency: u32,
    pub(crate) queues: Vec<Queue>,
    pub(crate) queue_names: Vec<String>,
    pub(crate) kind_names: Vec<String>,
    /// Kinds by queue.
    pub(crate) kinds_of: HashMap<String, Vec<String>>,
    pub(crate) hooks: HashMap<String, Hook>,
    pub(crate) unknown_hook: Option<Hook>,
    pub(crate) periodic: Vec<Periodic>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) session_changed: Notify,
    pub(crate) serving: Mutex<HashMap<String, u32>>,
    pub(crate) shutdown: Shutdown,
    /// An end was written down, for a dispatcher that waits for it.
    pub(crate) settled: Notify,
    leases: Mutex<Leases>,
}

/// The apalis workers of a runtime and the ways into and out of them.
pub(crate) struct Workers {
    pub(crate) sinks: HashMap<String, Box<dyn Sink>>,
    pub(crate) reporter: Reporter,
    pub(crate) settle: mpsc::UnboundedReceiver<Report>,
    pub(crate) freed: mpsc::UnboundedReceiver<JobId>,
    pub(crate) running: JoinSet<()>,
}

impl Crew {
    /// Takes a builder apart and starts an apalis worker for each of its kinds.
    pub(crate) fn assemble(parts: Builder, shutdown: Shutdown) -> crate::Result<(Arc<Self>, Workers)> {
        let wake = Wake::connect_with(parts.redis.as_deref(), &parts.prefix)?;
        let bell = Arc::new(Bell::default());
        let (settler, settle) = mpsc::unbounded_channel();
        let (freed_tx, freed) = mpsc::unbounded_channel();
        let reporter = Reporter { settler, freed: freed_tx };
        let (mut sinks, mut hooks) = (HashMap::new(), HashMap::new());
        let mut kinds_of: HashMap<String, Vec<String>> = HashMap::new();
        let mut running = JoinSet::new();
        let mut kind_names = Vec::new();
        for (name, kind) in parts.kinds {
            kinds_of.entry(kind.queue.to_owned()).or_default().push(name.to_owned());
            kind_names.push(name.to_owned());
            if let Some(hook) = kind.hook {
                hooks.insert(name.to_owned(), hook);
            }
            let (sink, run) = (kind.start)(parts.data.clone(), reporter.clone(), kind.timeout);
            sinks.insert(name.to_owned(), sink);
            running.spawn(run);
        }
        let queues: BTreeMap<_, _> = parts.queues;
        let pulse = Pulse::new(new_id(parts.clock.now()), parts.timing.self_fence);
        let crew = Self {
            options: (*parts.pool.connect_options()).clone().application_name("punctual-queue"),
            pool: parts.pool,
            clock: parts.clock,
            wake: wake.with_local(Arc::clone(&bell)),
            bell,
            timing: parts.timing,
            name: parts.name,
            concurrency: parts.concurrency,
            queue_names: queues.keys().map(|name| (*name).to_owned()).collect(),
            queues: queues.into_values().collect(),
            kind_names,
            kinds_of,
            hooks,
            unknown_hook: parts.unknown_hook,
            periodic: parts.periodic,
            pulse,
            session_changed: Notify::new(),
            serving: Mutex::default(),
            shutdown,
            settled: Notify::new(),
            leases: Mutex::default(),
        };
        Ok((Arc::new(crew), Workers { sinks, reporter, settle, freed, running }))
    }

    /// A connection of its own for one task.
    pub(crate) fn link(&self) -> Link {
        Link::new(self.options.clone())
    }

    /// How many live sessions serve a queue, this one included.
    pub(crate) fn sessions_serving(&self, queue: &str) -> u32 {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        serving.get(queue).copied().unwrap_or(1).max(1)
    }

    /// Takes over a lease that was just claimed.
    pub(crate) fn hold(&self, claimed: Claimed) -> JobContext {
        self.leases().hold(claimed.info.id, claimed.info.lease_seq);
        JobContext::new(claimed, Arc::clone(&self.pulse), SharedClock::clone(&self.clock), self.wake.clone())
    }

    /// The end of a lease is written down, or another process owns the job.
    pub(crate) fn release(&self, ctx: &JobContext) {
        self.leases().release(ctx.id(), ctx.lease_seq());
    }

    /// The leases of this process until their ends are written down.
    pub(crate) fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn session(&self) -> Uuid {
        self.pulse.session()
    }

    pub(crate) fn now(&self) -> chrono::DateTime<Utc> {
        self.clock.now()
    }
}
