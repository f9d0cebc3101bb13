//! Starts and stops the tasks of a runtime.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::builder::Runtime;
use super::dispatcher::Dispatcher;
use super::shared::{RuntimeShared, Workers};
use super::shutdown::Shutdown;
use super::{heartbeat, leader, settler};
use crate::error::{Error, Result};
use crate::limits::limiter::Limiter;
use crate::store::session;
use crate::wake;

impl Runtime {
    /// Runs until a shutdown was requested and is complete. Outages of Postgres and Redis do not end it. Dropping the
    /// future stops everything at once, as a kill would.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the Redis URL can't be parsed.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let parts = self.parts;
        let redis = parts.redis.as_deref().map(redis::Client::open).transpose();
        let redis =
            redis.map_err(|error| Error::Configuration(format!("the Redis URL can't be read: {error}")))?;
        let prefix = parts.prefix.clone();
        let longest_drain = parts.timing.grace + parts.timing.overrun;
        let (shared, workers) = RuntimeShared::assemble(parts, shutdown.clone())?;
        let stopping = shutdown.clone();
        let overrun = async {
            shutdown.draining().await;
            tokio::time::sleep(longest_drain).await;
        };
        tokio::select! {
            () = serve(shared, workers, redis, &prefix) => {}
            () = stopping.stopping() => tracing::warn!("leaving at once: what runs is left to be rescued"),
            () = overrun => tracing::warn!(
                "the grace period is over: what could not be finished or written is left to be rescued"
            ),
        }
        Ok(())
    }
}

/// The tasks are in sets that abort them when this future is dropped.
async fn serve(shared: Arc<RuntimeShared>, workers: Workers, redis: Option<redis::Client>, prefix: &str) {
    let Workers { sinks, reporter, reports, permit_freed, mut running } = workers;
    let mut heartbeat_db = shared.dedicated_conn();
    tokio::select! {
        () = heartbeat::open_first_session(&shared, &mut heartbeat_db) => {}
        () = shared.shutdown.draining() => return,
    }
    let mut background = JoinSet::new();
    background.spawn(heartbeat::run(Arc::clone(&shared), heartbeat_db));
    if let Some(client) = redis.clone() {
        let (notifier, queues) = (Arc::clone(&shared.notifier), shared.queue_names.clone());
        background.spawn(wake::listen(client, wake::channel(prefix), notifier, queues));
    }
    let token = leader::token(&shared);
    let mut leading = JoinSet::new();
    leading.spawn(leader::run(Arc::clone(&shared), token));
    let mut settling = JoinSet::new();
    settling.spawn(settler::run(Arc::clone(&shared), reports));

    let limiter = Limiter::new(redis, prefix, shared.timing.redis);
    Dispatcher::new(Arc::clone(&shared), limiter, sinks, reporter, permit_freed).run().await;

    // The dispatcher has dropped the sinks, which ends the apalis workers; these held the reporters of the settler.
    leading.shutdown().await;
    leader::resign(&shared, token).await;
    while running.join_next().await.is_some() {}
    while settling.join_next().await.is_some() {}
    background.shutdown().await;
    let (mut db, id) = (shared.dedicated_conn(), shared.session());
    let ended = db.call(shared.timing.beat_deadline, async |conn| session::end(conn, id).await).await;
    if let Err(error) = ended {
        tracing::debug!(error = %error, "the session is left to expire");
    }
}
