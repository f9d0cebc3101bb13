//! Wake-ups: hints that a queue has due jobs, published after commit. Correctness never depends on them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;

use crate::error::{BoxError, Error, Result};
use crate::notifier::Notifier;
use crate::redis_health::RedisHealth;

/// At most one message per queue in this time: the first is sent immediately, later ones at its end.
const MIN_INTERVAL: Duration = Duration::from_millis(5);
/// Timeout of a publish. A dropped wake-up delays its jobs until the next poll.
const DEADLINE: Duration = Duration::from_millis(500);

/// Tells workers that a queue has due jobs. Never blocks and never fails: without Redis the workers' polling finds the
/// jobs within a second. Clones share one connection.
#[derive(Clone, Default)]
pub struct Wake {
    publisher: Option<Arc<Publisher>>,
    local: Option<Arc<Notifier>>,
}

/// Closes the notifier with the last clone, which ends the publishing task.
struct Publisher(Arc<Notifier>);

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
    /// Publishes nothing: workers find jobs by polling.
    #[must_use]
    pub const fn polling() -> Self {
        Self { publisher: None, local: None }
    }

    /// Publishes through the Redis at `url`, in a task that ends with the last clone. `None` publishes nothing. Must be
    /// called within a tokio runtime; Redis need not be up.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the URL can't be parsed.
    pub fn connect(url: Option<&str>) -> Result<Self> {
        Self::connect_with(url, "")
    }

    /// As [`Self::connect`], with a prefix for the channel: programs that share a Redis use different prefixes.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with(url: Option<&str>, prefix: &str) -> Result<Self> {
        let Some(url) = url else { return Ok(Self::polling()) };
        let client = redis::Client::open(url)
            .map_err(|error| Error::Configuration(format!("the Redis URL can't be read: {error}")))?;
        let notifier = Arc::new(Notifier::default());
        tokio::spawn(publish(client, channel(prefix), Arc::clone(&notifier)));
        Ok(Self { publisher: Some(Arc::new(Publisher(notifier))), local: None })
    }

    /// Also notifies this notifier, in the same process.
    pub(crate) fn with_local(self, notifier: Arc<Notifier>) -> Self {
        Self { local: Some(notifier), ..self }
    }

    /// Says that `queue` has due jobs. Call it after the commit.
    pub fn wake(&self, queue: &str) {
        if let Some(notifier) = &self.local {
            notifier.add(queue);
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

async fn publish(client: redis::Client, channel: String, notifier: Arc<Notifier>) {
    let health = RedisHealth::new("publish", "workers find jobs by polling");
    let mut connection: Option<MultiplexedConnection> = None;
    loop {
        notifier.notified().await;
        let queues = notifier.take();
        if !queues.is_empty() {
            match send(&client, &mut connection, &channel, &queues).await {
                Ok(()) => health.answered(),
                Err(error) => {
                    health.failed(&error);
                    connection = None;
                }
            }
            tokio::time::sleep(MIN_INTERVAL).await;
        }
        if notifier.is_closed() {
            return;
        }
    }
}

async fn send(
    client: &redis::Client,
    connection: &mut Option<MultiplexedConnection>,
    channel: &str,
    queues: &BTreeSet<String>,
) -> Result<(), BoxError> {
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

/// Notifies for each queue that is published, until it is dropped. After each (re)connect it notifies for all queues,
/// because messages published meanwhile are lost.
pub(crate) async fn listen(
    client: redis::Client,
    channel: String,
    notifier: Arc<Notifier>,
    queues: Vec<String>,
) {
    let health = RedisHealth::new("subscribe", "jobs are found by polling");
    loop {
        if let Err(error) = receive(&client, &channel, &notifier, &queues, &health).await {
            health.failed(&error);
        }
        tokio::time::sleep(DEADLINE).await;
    }
}

async fn receive(
    client: &redis::Client,
    channel: &str,
    notifier: &Notifier,
    queues: &[String],
    health: &RedisHealth,
) -> Result<(), BoxError> {
    use futures::StreamExt as _;

    let connecting = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        Ok::<_, redis::RedisError>(subscription)
    };
    let mut subscription = tokio::time::timeout(DEADLINE * 4, connecting).await??;
    health.answered();
    for queue in queues {
        notifier.add(queue);
    }
    let mut messages = subscription.on_message();
    while let Some(message) = messages.next().await {
        let queue: String = message.get_payload()?;
        if queues.contains(&queue) {
            notifier.add(&queue);
        }
    }
    Err("the connection was closed".into())
}
