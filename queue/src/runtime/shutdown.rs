//! Two steps of ending: finish what runs, then stop at once.

use tokio_util::sync::CancellationToken;

/// Tells a runtime to end. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    stop: CancellationToken,
}

impl Shutdown {
    /// One that nothing has asked for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asked for by signals: SIGTERM or SIGINT drains, a second one stops at once. Must be called within a tokio
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

    /// Claims no more, finishes what runs within the grace period, gives back what has not begun.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Leaves at once; what runs is rescued by others once the lease has ended.
    pub fn stop_at_once(&self) {
        self.drain.cancel();
        self.stop.cancel();
    }

    /// Whether draining was asked for.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Ends when draining is asked for.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Ends when stopping at once is asked for.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }
}
