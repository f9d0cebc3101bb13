//! A runtime from start to end.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::builder::Runtime;
use super::crew::{Crew, Workers};
use super::dispatcher::Dispatcher;
use super::link::within;
use super::shutdown::Shutdown;
use super::{heartbeat, leader, settler};
use crate::error::{Error, Result};
use crate::limits::Limiter;
use crate::store::session;
use crate::wake;

impl Runtime {
    /// Runs until the shutdown has been asked for and is done. Postgres and Redis may go and come as they like: it
    /// waits for them. Dropping the future stops everything at once, as a kill would.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the Redis URL can't be read.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let parts = self.parts;
        let redis = parts.redis.as_deref().map(redis::Client::open).transpose();
        let redis =
            redis.map_err(|error| Error::Configuration(format!("the Redis URL can't be read: {error}")))?;
        let prefix = parts.prefix.clone();
        let (crew, workers) = Crew::assemble(parts, shutdown.clone())?;
        let stopping = shutdown.clone();
        tokio::select! {
            () = serve(crew, workers, redis, &prefix) => {}
            () = stopping.stopping() => tracing::warn!("leaving at once: what runs is left to be rescued"),
        }
        Ok(())
    }
}

/// The tasks are in sets that abort them when this future is dropped.
async fn serve(crew: Arc<Crew>, workers: Workers, redis: Option<redis::Client>, prefix: &str) {
    let Workers { sinks, reporter, settle, freed, mut running } = workers;
    let mut beating = crew.link();
    tokio::select! {
        () = heartbeat::open_first(&crew, &mut beating) => {}
        () = crew.shutdown.draining() => return,
    }
    let mut helpers = JoinSet::new();
    helpers.spawn(heartbeat::beat(Arc::clone(&crew), beating));
    if let Some(client) = redis.clone() {
        let (bell, queues) = (Arc::clone(&crew.bell), crew.queue_names.clone());
        helpers.spawn(wake::listen(client, wake::channel(prefix), bell, queues));
    }
    let token = leader::token(&crew);
    let mut leading = JoinSet::new();
    leading.spawn(leader::run(Arc::clone(&crew), token));
    let mut settling = JoinSet::new();
    settling.spawn(settler::run(Arc::clone(&crew), settle));

    Dispatcher::new(Arc::clone(&crew), Limiter::new(redis, prefix), sinks, reporter, freed).run().await;

    // The dispatcher's sinks are gone: the apalis workers end, then the settler, whose reporters they held.
    leading.shutdown().await;
    leader::resign(&crew, token).await;
    while running.join_next().await.is_some() {}
    while settling.join_next().await.is_some() {}
    helpers.shutdown().await;
    let mut link = crew.link();
    let ended =
        within(crew.timing.beat_deadline, async { session::end(link.open().await?, crew.session()).await });
    if let Err(error) = ended.await {
        tracing::debug!(error = %error, "the session is left to expire");
    }
}
