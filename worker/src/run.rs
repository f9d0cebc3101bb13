//! Starts the worker from a configuration, and stops it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusHandle;
use punctual_core::Core;
use punctual_core::config::{Config, ConfigError, Secret};
use punctual_core::migrate::{self, SchemaError};
use punctual_core::notifications::sending::SendingBatches;
use punctual_core::notifications::{self, ResendableMail};
use punctual_core::pool::{self, PoolSettings};
use punctual_core::sandbox::{self, ClockError};
use punctual_queue::runtime::Timing;
use punctual_queue::{Runtime, SharedClock, Shutdown, Wake};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::circuit::Circuit;
use crate::jobs::{self, Mailer};
use crate::mails::{InvalidKey, Signer, Templates};
use crate::metrics;
use crate::smtp::{Failure, InvalidRelayUrl, Relay, RelayAddress, Timeouts};
use crate::status_page::{self, StatusPage};
use crate::webhooks::{CONCURRENCY, Webhooks, run_fan_out};

/// Longest run of one SQL statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a database connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often idle connections to the relay are closed and gauges are updated.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);

/// Why the worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The mail server's URL is invalid.
    #[error(transparent)]
    Relay(#[from] InvalidRelayUrl),
    /// TLS towards the mail server cannot be set up.
    #[error("SMTP_URL: {0}")]
    Tls(#[from] Failure),
    /// It cannot listen on an address.
    #[error("cannot listen on {address} (PUNCTUAL_WORKER_METRICS_LISTEN): {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// This program cannot work with the database's schema, or the database refuses it.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The clock: the program is a sandbox and its database is not, or the other way round.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The client that posts webhooks.
    #[error("the HTTP client of webhooks: {0}")]
    Outbound(String),
    /// The queue.
    #[error("the queue: {0}")]
    Queue(#[from] punctual_queue::Error),
    /// The key that mails are signed with.
    #[error(transparent)]
    Signer(#[from] InvalidKey),
    /// The templates.
    #[error("the templates: {0}")]
    Templates(#[from] minijinja::Error),
}

/// What tests override; the defaults are for production.
#[derive(Default)]
pub struct Options {
    /// A clock to use instead of the server's.
    pub clock: Option<SharedClock>,
    /// Time limits of SMTP.
    pub timeouts: Timeouts,
    /// Leases and polling. The grace period comes from the configuration.
    pub timing: Timing,
    /// The recorder that `/metrics` shows.
    pub metrics: Option<PrometheusHandle>,
}

/// A running worker.
pub struct Running {
    /// Address of `/metrics`.
    pub metrics_address: Option<SocketAddr>,
    /// Asks it to stop.
    pub shutdown: Shutdown,
    core: Core,
    relay: Relay,
    circuit: Circuit,
    runtime: JoinHandle<punctual_queue::Result<()>>,
    stop: CancellationToken,
}

impl Running {
    /// Waits until it has stopped: running jobs have finished or were released.
    ///
    /// # Errors
    /// If the runtime failed.
    pub async fn ended(self) -> Result<(), StartError> {
        let result = self.runtime.await;
        self.stop.cancel();
        self.relay.close().await;
        self.circuit.close().await;
        self.core.pool.close().await;
        match result {
            Ok(result) => Ok(result?),
            Err(panic) => Err(StartError::Queue(punctual_queue::Error::Configuration(panic.to_string()))),
        }
    }

    /// Stops it and waits.
    ///
    /// # Errors
    /// As [`Self::ended`].
    pub async fn stop(self) -> Result<(), StartError> {
        self.shutdown.drain();
        self.ended().await
    }
}

/// Starts the worker. Waits until the database answers; Redis and the mail server may be unavailable.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: &Config, options: Options, shutdown: Shutdown) -> Result<Running, StartError> {
    let links = Arc::new(config.link_keys()?.clone());
    let relay_address = RelayAddress::parse(config.smtp_url()?.expose())?;
    let signer = Signer::from_config(&config.worker)?.map(Arc::new);
    let settings = PoolSettings {
        program: "punctual-worker",
        connections: config.worker.database_connections,
        statement_timeout: STATEMENT_TIMEOUT,
        acquire_timeout: ACQUIRE_TIMEOUT,
    };
    let pool = pool::connect(config.database_url()?.expose(), &settings)?;
    let listener = match config.worker.metrics_listen {
        Some(address) => {
            Some(TcpListener::bind(address).await.map_err(|error| StartError::Listen { address, error })?)
        }
        None => None,
    };
    let mut conn = migrate::wait(&pool).await?;
    let clock = match options.clock {
        Some(clock) => clock,
        None => sandbox::start_clock(&mut conn, &pool, config.sandbox, config.is_local()).await?,
    };
    let prefix = punctual_queue::redis_prefix(&mut conn).await?;
    drop(conn);
    let redis = config.redis_url.as_ref().map(Secret::expose);
    let core = Core::new(pool.clone(), clock.clone(), Wake::connect_with(redis, &prefix)?);
    let (concurrency, relay_name) = (config.worker.concurrency, relay_address.to_string());
    let relay = Relay::new(
        relay_address,
        config.worker.ehlo_name.clone(),
        options.timeouts,
        config.worker.relay_connections,
        clock.clone(),
    )?;
    let webhooks = Webhooks::new(&core, config.worker.webhook_networks.clone(), Arc::clone(&links))
        .map_err(|error| StartError::Outbound(error.to_string()))?;
    let circuit = Circuit::new(&core, relay.clone(), relay_name, worker_name());
    let mailer = Mailer {
        relay: relay.clone(),
        circuit: circuit.clone(),
        batches: Arc::new(SendingBatches::new(&core)),
        templates: Arc::new(Templates::embedded()?),
        links,
        signer,
    };
    let limit = u32::try_from(concurrency).unwrap_or(u32::MAX);
    let mut timing = options.timing;
    timing.grace = config.shutdown_grace;
    let builder = Runtime::builder(pool.clone(), clock)
        .redis(redis, &prefix)
        .concurrency(limit.saturating_add(2 + CONCURRENCY));
    let builder = builder.name(worker_name()).version(env!("CARGO_PKG_VERSION")).timing(timing);
    let runtime = jobs::register(builder, &core, mailer, webhooks, limit).build()?;

    let stop = CancellationToken::new();
    let metrics_address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    if let Some(listener) = listener {
        let pool = pool.clone();
        let page = StatusPage { metrics: options.metrics.clone(), pool, shutdown: shutdown.clone() };
        tokio::spawn(status_page::serve(listener, page, stop.clone()));
    }
    tokio::spawn(run_fan_out(core.clone(), stop.clone()));
    tokio::spawn(maintain(relay.clone(), circuit.clone(), core.clone(), options.metrics, stop.clone()));
    let runtime = tokio::spawn(runtime.run(shutdown.clone()));
    tracing::info!(concurrency, redis = redis.is_some(), "taking jobs");
    Ok(Running { metrics_address, shutdown, core, relay, circuit, runtime, stop })
}

/// A name that distinguishes workers. In containers the process id is always the same, but the host name is not.
fn worker_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("punctual-worker {} {}", host.trim(), std::process::id())
}

async fn oldest_owed_age(core: &Core) -> punctual_core::Result<TimeDelta> {
    notifications::oldest_owed_age(&mut *core.pool.acquire().await?, core.now()).await
}

async fn resendable(core: &Core) -> punctual_core::Result<Vec<ResendableMail>> {
    notifications::resendable(&mut *core.pool.acquire().await?, core.now()).await
}

async fn maintain(
    relay: Relay,
    circuit: Circuit,
    core: Core,
    handle: Option<PrometheusHandle>,
    stop: CancellationToken,
) {
    loop {
        relay.close_idle().await;
        circuit.maintain().await;
        metrics::breaker(relay.breaker().is_open());
        metrics::connections(&core.pool, relay.connections());
        metrics::connection_limit(relay.connection_limit());
        // The last values stay while the database does not answer.
        if let Ok(age) = oldest_owed_age(&core).await {
            metrics::oldest_owed_mail(age);
        }
        if let Ok(mails) = resendable(&core).await {
            metrics::mails_to_resend(&mails);
        }
        if let Some(handle) = &handle {
            handle.run_upkeep();
        }
        if tokio::time::timeout(MAINTENANCE_INTERVAL, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}
