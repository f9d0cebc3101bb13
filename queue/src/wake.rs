//! Hints that a queue has work: published after commit, never needed for correctness.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;

/// At most one message per queue in this time: the first goes out at once, later ones at its end.
const EDGE: Duration = Duration::from_millis(5);
/// How long Redis may take before a hint is dropped; polling each second finds the work then.
const DEADLINE: Duration = Duration::from_millis(500);

/// Queues that have work, and a bell that rings when one is added.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    queues: Mutex<BTreeSet<String>>,
    closed: AtomicBool,
    ring: Notify,
}

impl Bell {
    /// Adds a queue and rings unless it was there already.
    pub(crate) fn add(&self, queue: &str) {
        if self.queues.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned()) {
            self.ring.notify_one();
        }
    }

    /// The queues added since the last call.
    pub(crate) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.queues.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until it rings; a ring that nobody waited for counts.
    pub(crate) async fn rung(&self) {
        self.ring.notified().await;
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.ring.notify_one();
    }
}

/// Tells workers that a queue has work. Clones share one connection; it never blocks and never fails: without Redis, or
/// while it is away, workers find the work by polling each second.
#[derive(Clone, Default)]
pub struct Wake {
    publisher: Option<Arc<Publisher>>,
    local: Option<Arc<Bell>>,
}

/// Closes the bell, which ends the publishing task, with the last clone.
struct Publisher(Arc<Bell>);

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wake").field("redis", &self.publisher.is_some()).finish_non_exhaustive()
    }
}

impl Wake {
    /// A wake that only the workers' polling stands for.
    #[must_use]
    pub const fn polling() -> Self {
        Self { publisher: None, local: None }
    }

    /// Publishes through the Redis at `url` in a task that ends with the last clone; `None` leaves it to polling. Must
    /// be called within a tokio runtime; Redis need not be up.
    ///
    /// # Errors
    /// [`crate::Error::Configuration`] when the URL can't be read.
    pub fn connect(url: Option<&str>) -> crate::Result<Self> {
        Self::connect_with(url, "")
    }

    /// As [`Self::connect`], with a prefix for the channel: programs that share a Redis use different ones.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with(url: Option<&str>, prefix: &str) -> crate::Result<Self> {
        let Some(url) = url else { return Ok(Self::polling()) };
        let client = redis::Client::open(url)
            .map_err(|error| crate::Error::Configuration(format!("the Redis URL can't be read: {error}")))?;
        let bell = Arc::new(Bell::default());
        tokio::spawn(publish(client, channel(prefix), Arc::clone(&bell)));
        Ok(Self { publisher: Some(Arc::new(Publisher(bell))), local: None })
    }

    /// Rings this bell in the same process as well.
    pub(crate) fn with_local(self, bell: Arc<Bell>) -> Self {
        Self { local: Some(bell), ..self }
    }

    /// Says that `queue` has work. Call it after the commit.
    pub fn wake(&self, queue: &str) {
        if let Some(bell) = &self.local {
            bell.add(queue);
        }
        if let Some(publisher) = &self.publisher {
            publisher.0.add(queue);
        }
    }
}

/// The channel on which queue names are published.
pub(crate) fn channel(prefix: &str) -> String {
    format!("{prefix}queue:wake")
}

async fn publish(client: redis::Client, channel: String, bell: Arc<Bell>) {
    let mut connection: Option<MultiplexedConnection> = None;
    loop {
        bell.rung().await;
        let queues = bell.take();
        if !queues.is_empty() {
            if let Err(error) = send(&client, &mut connection, &channel, &queues).await {
                tracing::debug!(error = %error, "Redis did not take a wake-up: workers find the work by polling");
                connection = None;
            }
            tokio::time::sleep(EDGE).await;
        }
        if bell.closed.load(Ordering::SeqCst) {
            return;
        }
    }
}

async fn send(
    client: &redis::Client,
    connection: &mut Option<MultiplexedConnection>,
    channel: &str,
    queues: &BTreeSet<String>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let publishing = async {
        let conn = match connection {
            Some(conn) => conn,
            none => none.insert(client.get_multiplexed_async_connection().await?),
        };
        let mut pipe = redis::pipe();
        for queue in queues {
            pipe.publish(channel, queue).ignore();
        }
        pipe.query_async::<()>(conn).await
    };
    Ok(tokio::time::timeout(DEADLINE, publishing).await??)
}

/// Rings the bell for each queue that is published, until it is dropped; after each connecting for all queues, since
/// what was published meanwhile is lost.
pub(crate) async fn listen(client: redis::Client, channel: String, bell: Arc<Bell>, queues: Vec<String>) {
    loop {
        if let Err(error) = hear(&client, &channel, &bell, &queues).await {
            tracing::debug!(error = %error, "Redis is away: work is found by polling");
        }
        tokio::time::sleep(DEADLINE).await;
    }
}

async fn hear(
    client: &redis::Client,
    channel: &str,
    bell: &Bell,
    queues: &[String],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    use futures::StreamExt as _;

    let connecting = async {
        let mut heard = client.get_async_pubsub().await?;
        heard.subscribe(channel).await?;
        Ok::<_, redis::RedisError>(heard)
    };
    let mut heard = tokio::time::timeout(DEADLINE * 4, connecting).await??;
    for queue in queues {
        bell.add(queue);
    }
    let mut messages = heard.on_message();
    while let Some(message) = messages.next().await {
        let queue: String = message.get_payload()?;
        if queues.contains(&queue) {
            bell.add(&queue);
        }
    }
    Ok(())
}
