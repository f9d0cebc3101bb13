//! Starts the server from a configuration, and stops it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use punctual_core::{
    Core, CoreLimits, Writer,
    config::{Config, ConfigError, Secret},
    migrate::{self, SchemaError},
    pool::{self, PoolSettings},
    sandbox::{self, ClockError},
    slots,
};
use punctual_queue::{SharedClock, Wake};
use sqlx::PgPool;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app,
    edge::{self, Edge},
    metrics_page::{self, MetricsPage},
    server::{self, Limits},
    state::State,
};

/// Timeout of one statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeout of the wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often Prometheus' histograms are drained.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);

/// Why the api did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address it cannot listen on.
    #[error("cannot listen on {address} ({key}): {error}")]
    Listen {
        /// The variable that names it.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// A schema this program cannot work with.
    #[error(transparent)]
    Schema(SchemaError),
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The clock: the program is a sandbox and its database is not, or the other way round.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The queue's connection to Redis.
    #[error("REDIS_URL: {0}")]
    Queue(#[from] punctual_queue::Error),
    /// The metrics.
    #[error("the metrics: {0}")]
    Metrics(String),
    /// The threads of writes.
    #[error("cannot start the threads of writes: {0}")]
    Thread(io::Error),
}

/// A running api.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where `/metrics` listens.
    pub metrics_address: Option<SocketAddr>,
    state: Arc<State>,
    stop: CancellationToken,
    servers: TaskTracker,
}

impl Running {
    /// Fails `/readyz`, stops accepting connections after the drain time, and waits until running requests have finished or
    /// the grace period is over.
    pub async fn stop(self) {
        self.state.drain();
        tokio::time::sleep(self.state.config.drain).await;
        self.stop.cancel();
        self.servers.close();
        self.servers.wait().await;
        for pool in self.state.core.writer.pools() {
            pool.close().await;
        }
        self.state.core.pool.close().await;
    }
}

/// Starts the api; tests pass `clock` instead of the server's.
///
/// # Errors
/// When the configuration lacks something, an address is taken, or the schema is older than this program. It waits for
/// a database that does not answer yet.
pub async fn start(config: &Config, clock: Option<SharedClock>) -> Result<Running, StartError> {
    // Installing the recorder calibrates its clock in a busy loop of up to 10 ms: done while the database is awaited.
    let recorder = config.api.metrics_listen.map(|_| tokio::task::spawn_blocking(metrics_page::install));
    let (pool, writer) = connect(config)?;
    slots::warm_up(&writer);
    // The check of the schema needs a second connection, if the pool has two: it opens beside the first.
    let second = pool.clone();
    tokio::spawn(async move { second.acquire().await.map(drop) });
    config.jwt_keys()?;
    config.link_keys()?;
    let listener = listen("PUNCTUAL_API_LISTEN", config.api.listen).await?;
    let metrics_listener = match config.api.metrics_listen {
        Some(address) => Some(listen("PUNCTUAL_API_METRICS_LISTEN", address).await?),
        None => None,
    };
    // The first answers of the database take about as long as building the routes.
    let checked = pool.clone();
    let checking = tokio::spawn(async move { migrate::wait(&checked).await });
    let routes = app::routes();
    let mut conn = finished(checking).await.map_err(|error| match error {
        SchemaError::Database(error) => StartError::Database(error),
        error => StartError::Schema(error),
    })?;
    let clock = match clock {
        Some(clock) => clock,
        None => sandbox::start_clock(&mut conn, &pool, config.sandbox, config.is_local()).await?,
    };
    let prefix = punctual_queue::redis_prefix(&mut conn).await.map_err(StartError::Database)?;
    drop(conn);
    let handle = match recorder {
        Some(installing) => {
            Some(finished(installing).await.map_err(|error| StartError::Metrics(error.to_string()))?)
        }
        None => None,
    };
    let wake = Wake::connect_with(config.redis_url.as_ref().map(Secret::expose), &prefix)?;
    let limits = CoreLimits { booking_batches: config.api.booking_batches };
    let core = Core::with_writer(pool, writer, clock, wake, limits);
    let state = Arc::new(State::new(config, core, app::schemas(), &prefix)?);

    let (stop, servers) = (CancellationToken::new(), TaskTracker::new());
    let limits = Limits {
        connections: config.api.max_connections,
        header_timeout: config.api.header_timeout,
        grace: config.shutdown_grace,
        refusal: edge::refusals(Arc::clone(&state)),
    };
    let address = address_of(&listener, config.api.listen);
    let metrics_address = metrics_listener.as_ref().map(|listener| address_of(listener, address));
    let app = Arc::new(Edge::new(Arc::clone(&state), routes, app::HTML_ERRORS));
    servers.spawn(server::serve(listener, app, limits.clone(), stop.clone()));
    if let (Some(listener), Some(handle)) = (metrics_listener, handle) {
        let limits = Limits { connections: 16, ..limits };
        servers.spawn(maintain(handle.clone(), state.core.clone(), stop.clone()));
        servers.spawn(server::serve(listener, MetricsPage::shared(handle), limits, stop.clone()));
    }
    tracing::info!(%address, "listening");
    Ok(Running { address, metrics_address, state, stop, servers })
}

/// The connections of reads, and of writes and slot lists.
fn connect(config: &Config) -> Result<(PgPool, Writer), StartError> {
    // Of ten, seven write: four transactions that wait for locks leave connections for two batches and another write. Two read,
    // and one loads slot lists, one batch at a time. Of fewer than six, lists use those of writes.
    let for_reads_and_lists = (config.api.database_connections / 3).max(1);
    let for_lists = u32::from(for_reads_and_lists > 1);
    let pool_of = |connections| {
        let settings = PoolSettings {
            program: "punctual-api",
            connections,
            statement_timeout: STATEMENT_TIMEOUT,
            acquire_timeout: ACQUIRE_TIMEOUT,
        };
        Ok::<_, StartError>(pool::connect(config.database_url()?.expose(), &settings)?)
    };
    let pool = pool_of(for_reads_and_lists - for_lists)?;
    let write_pool = pool_of(config.api.database_connections - for_reads_and_lists)?;
    let list_pool = if for_lists > 0 { Some(pool_of(for_lists)?) } else { None };
    let writer = Writer::on_own_runtime(write_pool, list_pool).map_err(StartError::Thread)?;
    Ok((pool, writer))
}

/// Waits for a task of the start; a panic in it is resumed here.
async fn finished<T>(task: JoinHandle<T>) -> T {
    task.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

async fn maintain(
    handle: metrics_exporter_prometheus::PrometheusHandle,
    core: Core,
    stop: CancellationToken,
) {
    loop {
        metrics_page::connections(std::iter::once(&core.pool).chain(core.writer.pools()));
        handle.run_upkeep();
        if tokio::time::timeout(MAINTENANCE_INTERVAL, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen { key, address, error })
}

fn address_of(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}
