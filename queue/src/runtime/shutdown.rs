//! Shutdown in two steps: drain, then stop at once.

use tokio_util::sync::CancellationToken;

/// Requests the end of a runtime. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    stop: CancellationToken,
}

impl Shutdown {
    /// A shutdown that is not requested.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requested by signals: SIGTERM or SIGINT drains, a second one stops at once. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// When the signal handlers can't be installed.
    pub fn on_signals() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shutdown = Self::new();
        let asked = shutdown.clone();
        tokio::spawn(async move {
            for step in [Self::drain, Self::stop_at_once] {
                tokio::select! {
                    _ = term.recv() => {}
                    _ = int.recv() => {}
                }
                step(&asked);
            }
        });
        Ok(shutdown)
    }

    /// Claims no more jobs, and lets running jobs finish within the grace period.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Stops at once. Running jobs are rescued by other workers once the session has expired.
    pub fn stop_at_once(&self) {
        self.drain.cancel();
        self.stop.cancel();
    }

    /// Whether draining was requested.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Resolves when draining is requested.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Resolves when stopping at once is requested.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }
}
