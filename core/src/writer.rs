//! Where writes run: with connections of their own and, in the api, on a runtime of their own, which also loads slot lists.
//!
//! A booking waits many times: for Postgres, Redis, other tasks. On a runtime that a thousand readers keep busy it would then
//! wait in the queue of ready tasks each time; on one of its own it waits for a processor only.

use std::future::Future;
use std::io;

use sqlx::PgPool;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Runs writes.
pub struct Writer {
    /// The connections of writes.
    pub pool: PgPool,
    /// The connection that loads slot lists; `None`: one of `pool`.
    list_pool: Option<PgPool>,
    /// `None`: the runtime of the caller.
    runtime: Option<Runtime>,
}

impl Writer {
    /// Runs writes on the runtime of their callers.
    #[must_use]
    pub fn shared(pool: PgPool) -> Self {
        Self { pool, list_pool: None, runtime: None }
    }

    /// Runs writes and loads slot lists on a runtime of their own, with a thread for every second processor. The pools are for
    /// them alone: a connection is served by the runtime that opened it.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn on_own_runtime(pool: PgPool, list_pool: Option<PgPool>) -> io::Result<Self> {
        let threads =
            std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2));
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(threads).thread_name("writer").enable_all().build()?;
        Ok(Self { pool, list_pool, runtime: Some(runtime) })
    }

    /// The connections that load slot lists.
    pub fn list_pool(&self) -> &PgPool {
        self.list_pool.as_ref().unwrap_or(&self.pool)
    }

    /// All connections.
    pub fn pools(&self) -> impl Iterator<Item = &PgPool> + Clone {
        std::iter::once(&self.pool).chain(&self.list_pool)
    }

    /// Starts a task, which continues when its caller is cancelled.
    pub fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        match &self.runtime {
            Some(runtime) => runtime.spawn(task),
            None => tokio::spawn(task),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which a task may not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
