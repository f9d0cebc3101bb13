use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use punctual_core::config::RequestLimit;
use punctual_queue::RedisHealth;
use redis::aio::MultiplexedConnection;

use super::subject::{LimitDecision, Subject};

/// Timeout of Redis, after which this process's own log decides alone.
const DEADLINE: Duration = Duration::from_millis(200);

/// How long Redis is not used after a failure (circuit open).
const PAUSE: Duration = Duration::from_secs(1);

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// The logs that all processes share.
pub struct Shared {
    client: redis::Client,
    prefix: String,
    health: RedisHealth,
    link: Mutex<Link>,
    take: redis::Script,
}

#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    /// Set while the circuit is open.
    away_until: Option<Instant>,
}

impl Shared {
    pub fn new(url: &str, prefix: &str) -> Result<Self, redis::RedisError> {
        let client = redis::Client::open(url)?;
        let health = RedisHealth::new("request limits", "each process keeps the limits of requests alone");
        let take = redis::Script::new(include_str!("take.lua"));
        Ok(Self { client, prefix: prefix.to_owned(), health, link: Mutex::default(), take })
    }

    /// Counts one more request of the subject, if allowed; `None` while Redis is unavailable.
    pub async fn take(&self, name: &str, subject: Subject, limit: RequestLimit) -> Option<LimitDecision> {
        let micros = u64::try_from(limit.per.as_micros()).unwrap_or(u64::MAX);
        let asking = async {
            let mut conn = self.connected().await?;
            let mut call = self.take.key(self.key(name, subject));
            Ok(call.arg(limit.count).arg(micros).invoke_async::<(u8, u32, u64)>(&mut conn).await?)
        };
        let (granted, left, micros) = self.note(tokio::time::timeout(DEADLINE, asking).await)?;
        Some(LimitDecision { granted: granted == 1, left, wait: Duration::from_micros(micros) })
    }

    /// Uncounts the subject's newest request.
    pub async fn give_back(&self, name: &str, subject: Subject) {
        let asking = async {
            let mut conn = self.connected().await?;
            let mut call = redis::cmd("LPOP");
            Ok(call.arg(self.key(name, subject)).query_async::<()>(&mut conn).await?)
        };
        self.note(tokio::time::timeout(DEADLINE, asking).await);
    }

    async fn connected(&self) -> Result<MultiplexedConnection, BoxedError> {
        let known = {
            let link = self.link();
            if link.away_until.is_some_and(|until| Instant::now() < until) {
                return Err("Redis failed a moment ago".into());
            }
            link.connection.clone()
        };
        if let Some(connection) = known {
            return Ok(connection);
        }
        let connection = self.client.get_multiplexed_async_connection().await?;
        self.link().connection = Some(connection.clone());
        Ok(connection)
    }

    /// Redis did not answer: opens the circuit and drops the connection.
    fn note<T>(&self, answer: Result<Result<T, BoxedError>, tokio::time::error::Elapsed>) -> Option<T> {
        let answer = answer.unwrap_or_else(|late| Err(late.into()));
        let mut link = self.link();
        match answer {
            Ok(answer) => {
                link.away_until = None;
                self.health.answered();
                Some(answer)
            }
            Err(error) => {
                let now = Instant::now();
                if link.away_until.is_none_or(|until| now >= until) {
                    self.health.failed(&error);
                    *link = Link { connection: None, away_until: Some(now + PAUSE) };
                }
                None
            }
        }
    }

    fn link(&self) -> std::sync::MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, name: &str, Subject(bytes): Subject) -> Vec<u8> {
        let mut key = format!("{}limit:{name}:", self.prefix).into_bytes();
        key.extend_from_slice(&bytes);
        key
    }
}
