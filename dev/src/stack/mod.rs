//! The whole of Punctual as processes of this machine.

mod database;
mod ports;
mod service;
mod start;
mod state;

use std::time::Duration;

use anyhow::{Context as _, Result};

pub use database::ensure_database;
pub use ports::Ports;
pub use service::{Log, Running, Service};
pub use state::{Addresses, Lock, Recorded, State, end_leftovers};

use tokio::task::spawn_blocking;

use crate::console;
use crate::home::Home;
use crate::inbox::Inbox;
use crate::servers::process::Identity;
use crate::servers::{Cluster, Programs, RedisServer};

/// How soon an ended program is seen.
const WATCH_PERIOD: Duration = Duration::from_millis(500);

/// What makes one stack differ from another.
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

/// What runs of a stack. Parts are filled in as they start, so that a start given up in the middle can be stopped.
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
    /// In clear: it is good for this machine only.
    pub password: String,
}

impl Stack {
    /// A stack of which nothing runs yet.
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

    /// Where what runs is.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The administrator, once the database has one.
    #[must_use]
    pub fn admin(&self) -> Option<&Admin> {
        self.admin.as_ref()
    }

    /// The inbox, unless mails go to a server of one's own.
    #[must_use]
    pub fn inbox(&self) -> Option<&Inbox> {
        self.inbox.as_ref()
    }

    /// Watches what runs and starts again what ends by itself; never returns.
    ///
    /// # Errors
    /// When something cannot be started again.
    pub async fn watch(&mut self) -> Result<()> {
        let (mut postgres_seen, mut redis_seen) = (false, false);
        loop {
            tokio::time::sleep(WATCH_PERIOD).await;
            for running in self.api.iter_mut().chain(&mut self.workers) {
                if let Some(status) = running.try_wait()? {
                    let name = running.service.name.clone();
                    console::problem(&format!("{name} ended ({status}); starting it again"));
                    *running = running.service.start()?;
                }
            }
            if !postgres_seen && self.postgres.as_mut().is_some_and(Cluster::has_ended) {
                postgres_seen = true;
                console::problem("Postgres ended; what needs it waits until `cargo dev` is started again");
            }
            if !redis_seen && self.redis.as_mut().is_some_and(RedisServer::has_ended) {
                redis_seen = true;
                console::problem("Redis ended; everything goes on by polling and with local limits");
            }
            self.record()?;
        }
    }

    /// Stops all: workers, API, inbox, Redis, Postgres.
    ///
    /// # Errors
    /// When something cannot be signalled; the rest is stopped all the same.
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

    /// What to kill when stopping takes too long.
    #[must_use]
    pub fn groups(&self) -> Vec<Identity> {
        let programs = self.workers.iter().chain(&self.api).map(|running| running.identity().clone());
        let servers =
            [self.redis.as_ref().map(RedisServer::identity), self.postgres.as_ref().map(Cluster::identity)];
        programs.chain(servers.into_iter().flatten().cloned()).collect()
    }

    /// Puts on disk what runs.
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
