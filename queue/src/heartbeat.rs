//! The age of this process' last confirmed heartbeat, shared by all its jobs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// The current session and when its last confirmed heartbeat was sent.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    origin: Instant,
    /// Milliseconds after `origin`.
    sent_millis: AtomicU64,
    session: Mutex<Uuid>,
    self_fence: Duration,
}

impl Heartbeat {
    pub(crate) fn new(session: Uuid, self_fence: Duration) -> Arc<Self> {
        let heartbeat = Self {
            origin: Instant::now(),
            sent_millis: AtomicU64::new(0),
            session: Mutex::new(session),
            self_fence,
        };
        Arc::new(heartbeat)
    }

    /// Records a heartbeat of `session` that was sent at `sent` and confirmed by Postgres.
    pub(crate) fn record(&self, session: Uuid, sent: Instant) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
        let millis = sent.saturating_duration_since(self.origin).as_millis();
        self.sent_millis.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Time since the last confirmed heartbeat was sent.
    pub(crate) fn age(&self) -> Duration {
        self.origin.elapsed().saturating_sub(Duration::from_millis(self.sent_millis.load(Ordering::SeqCst)))
    }

    pub(crate) fn session(&self) -> Uuid {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process may still act on a lease of `session`: no other process can have taken it over.
    pub(crate) fn is_fresh(&self, session: Uuid) -> bool {
        self.session() == session && self.age() < self.self_fence
    }
}
