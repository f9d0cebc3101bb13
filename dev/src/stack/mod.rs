//! The whole of Punctual as processes of this machine.

mod database;
mod ports;
mod service;
mod start;
mod state;
mod watch;

use anyhow::{Context as _, Result};

pub use database::ensure_database;
pub use ports::Ports;
pub use service::{Log, Running, Service};
pub use state::{Addresses, Lock, Recorded, State, end_leftovers};

use tokio::task::spawn_blocking;

use crate::home::Home;
use crate::inbox::Inbox;
use crate::servers::process::Identity;
use crate::servers::{Cluster, Programs, RedisServer};

/// Configuration of a stack.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it keeps its files.
    pub home: Home,
    /// Where it listens.
    pub ports: Ports,
    /// Number of worker processes.
    pub workers: usize,
    /// Postgres to use instead of an own one.
    pub database_url: Option<String>,
    /// Redis to use instead of an own one.
    pub redis_url: Option<String>,
    /// Mail server to use instead of the inbox.
    pub smtp_url: Option<String>,
    /// Whether its data goes with it.
    pub disposable: bool,
    /// Postgres and Redis of this machine.
    pub programs: Programs,
}

/// The running parts of a stack. Each is set when it starts, so that an aborted start can be stopped.
#[derive(Debug)]
pub struct Stack {
    settings: Settings,
    addresses: Addresses,
    postgres: Option<Cluster>,
    redis: Option<RedisServer>,
    inbox: Option<Inbox>,
    api: Option<Running>,
    workers: Vec<Running>,
    admin: Option<Admin>,
}

/// The administrator of the demo business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Login name.
    pub email: String,
    /// Not encrypted: it is valid on this machine only.
    pub password: String,
}

impl Stack {
    /// A stack without running programs.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            addresses: Addresses::default(),
            postgres: None,
            redis: None,
            inbox: None,
            api: None,
            workers: Vec::new(),
            admin: None,
        }
    }

    /// Addresses of the running parts.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The administrator, once the database has one.
    #[must_use]
    pub fn admin(&self) -> Option<&Admin> {
        self.admin.as_ref()
    }

    /// The inbox, unless `SMTP_URL` names another server.
    #[must_use]
    pub fn inbox(&self) -> Option<&Inbox> {
        self.inbox.as_ref()
    }

    /// Stops all: workers, API, inbox, Redis, Postgres.
    ///
    /// # Errors
    /// When something cannot be signalled; the rest is stopped anyway.
    pub async fn stop(self) -> Result<()> {
        let mut results = Vec::new();
        for worker in self.workers {
            results.push(worker.stop().await);
        }
        if let Some(api) = self.api {
            results.push(api.stop().await);
        }
        if let Some(inbox) = self.inbox {
            inbox.stop().await;
        }
        if let Some(redis) = self.redis {
            results.push(spawn_blocking(|| redis.stop()).await?);
        }
        if let Some(postgres) = self.postgres {
            let disposable = self.settings.disposable;
            let stop = move || if disposable { postgres.abort() } else { postgres.stop() };
            results.push(spawn_blocking(stop).await?);
        }
        State::remove(&self.settings.home)?;
        results.into_iter().collect()
    }

    /// Processes to kill when stopping takes too long.
    #[must_use]
    pub fn groups(&self) -> Vec<Identity> {
        let programs = self.workers.iter().chain(&self.api).map(|running| running.identity().clone());
        let servers =
            [self.redis.as_ref().map(RedisServer::identity), self.postgres.as_ref().map(Cluster::identity)];
        programs.chain(servers.into_iter().flatten().cloned()).collect()
    }

    /// Stores on disk which processes run.
    fn record(&self) -> Result<()> {
        let programs = self.workers.iter().chain(&self.api);
        let mut children: Vec<Recorded> =
            programs.map(|running| recorded(&running.service.name, running.identity(), false)).collect();
        children.extend(self.redis.as_ref().map(|redis| recorded("Redis", redis.identity(), false)));
        children
            .extend(self.postgres.as_ref().map(|postgres| recorded("Postgres", postgres.identity(), true)));
        let owner = Identity::of(std::process::id()).context("cannot read my own start time")?;
        State { owner, addresses: self.addresses.clone(), children }.write(&self.settings.home)
    }
}

fn recorded(name: &str, identity: &Identity, is_postgres: bool) -> Recorded {
    Recorded { name: name.to_owned(), identity: identity.clone(), is_postgres }
}
