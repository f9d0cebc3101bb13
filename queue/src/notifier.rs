//! A set of queue names with a notification.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// Queues that may have due jobs. Adding one notifies the task that waits.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    queues: Mutex<BTreeSet<String>>,
    closed: AtomicBool,
    notify: Notify,
}

impl Notifier {
    /// Adds a queue; notifies unless it was in the set already.
    pub(crate) fn add(&self, queue: &str) {
        if self.queues.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned()) {
            self.notify.notify_one();
        }
    }

    /// The queues added since the last call.
    pub(crate) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.queues.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a notification; returns at once if one came since the last wait.
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.notify.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}
