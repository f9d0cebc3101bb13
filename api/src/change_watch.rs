//! Notifies open pages within a second that bookings or calendars changed. One task per process polls the database while a
//! page is subscribed, whatever the number of pages; it needs no Redis.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use punctual_core::{Core, changes};
use tokio::sync::watch;

/// Poll interval.
const POLL_INTERVAL: Duration = Duration::from_millis(700);

/// The subscribers and whether the polling task runs.
#[derive(Clone)]
pub struct ChangeWatch(Arc<Inner>);

struct Inner {
    /// Counts changes.
    sender: watch::Sender<u64>,
    asks: AtomicBool,
}

impl Default for ChangeWatch {
    fn default() -> Self {
        Self(Arc::new(Inner { sender: watch::Sender::new(0), asks: AtomicBool::new(false) }))
    }
}

impl ChangeWatch {
    /// A receiver whose value changes with every change from now on, and once more than that where the first look at the
    /// database comes after the call.
    pub fn listen(&self, core: &Core) -> watch::Receiver<u64> {
        let receiver = self.0.sender.subscribe();
        if !self.0.asks.swap(true, Ordering::AcqRel) {
            tokio::spawn(poll(Arc::clone(&self.0), core.clone()));
        }
        receiver
    }
}

/// Polls until there is no subscriber.
async fn poll(inner: Arc<Inner>, core: Core) {
    let mut known = None;
    loop {
        if inner.sender.receiver_count() == 0 {
            inner.asks.store(false, Ordering::Release);
            // A page may have subscribed between the two.
            if inner.sender.receiver_count() == 0 || inner.asks.swap(true, Ordering::AcqRel) {
                return;
            }
        }
        // During an outage of the database nothing changes.
        if let Ok(mut connection) = core.pool.acquire().await
            && let Ok(head) = changes::head(&mut connection).await
        {
            // The first head also counts: what was committed before it may be newer than the page of who listens.
            if known.replace(head) != Some(head) {
                inner.sender.send_modify(|count| *count += 1);
            }
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
