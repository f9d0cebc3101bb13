//! Tokens from Redis, or from this process' local share while Redis is unavailable.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

use super::gcra::{Gcra, Rate};
use super::limit::Limit;
use crate::redis_health::RedisHealth;

/// How long Redis is not used after a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// Above this many local buckets the full ones are dropped.
const BUCKETS: usize = 10_000;

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// Enforces the limits for one process.
pub(crate) struct Limiter {
    client: Option<redis::Client>,
    /// Timeout of a Redis script; after it the local share decides.
    timeout: Duration,
    connection: Option<MultiplexedConnection>,
    retry_at: Instant,
    health: RedisHealth,
    prefix: String,
    origin: Instant,
    local: HashMap<String, Gcra>,
    take: redis::Script,
    reserve: redis::Script,
}

impl Limiter {
    pub(crate) fn new(client: Option<redis::Client>, prefix: &str, timeout: Duration) -> Self {
        Self {
            client,
            timeout,
            connection: None,
            retry_at: Instant::now(),
            health: RedisHealth::new("queue limits", "limits are kept by local shares"),
            prefix: prefix.to_owned(),
            origin: Instant::now(),
            local: HashMap::new(),
            take: redis::Script::new(include_str!("take.lua")),
            reserve: redis::Script::new(include_str!("reserve.lua")),
        }
    }

    /// Takes up to `wanted` tokens of a queue's limit; returns how many, and the time until the next one. `sessions` is
    /// the number of processes that divide the limit while Redis is unavailable.
    pub(crate) async fn take(
        &mut self,
        queue: &str,
        limit: Limit,
        wanted: u32,
        sessions: u32,
    ) -> (u32, Duration) {
        let key = self.queue_key(queue);
        if let Some((granted, wait)) = self.ask_take(&key, limit, i64::from(wanted)).await {
            return (u32::try_from(granted).unwrap_or(0), Duration::from_micros(wait));
        }
        let (now, rate) = (self.micros(), Rate::shared(limit, sessions));
        let bucket = self.local.entry(key).or_insert_with(|| Gcra::empty(now, rate));
        let (granted, wait) = bucket.take(now, rate, wanted);
        (granted, Duration::from_secs_f64(wait / 1e6))
    }

    /// Puts back tokens that were taken and not used.
    pub(crate) async fn give_back(&mut self, queue: &str, limit: Limit, unused: u32, sessions: u32) {
        if unused == 0 {
            return;
        }
        let key = self.queue_key(queue);
        if self.ask_take(&key, limit, -i64::from(unused)).await.is_none() {
            let (now, rate) = (self.micros(), Rate::shared(limit, sessions));
            if let Some(bucket) = self.local.get_mut(&key) {
                bucket.give_back(now, rate, unused);
            }
        }
    }

    /// Reserves a slot for one job of each key, in one call; returns the wait of each, zero to start now.
    pub(crate) async fn reserve(
        &mut self,
        queue: &str,
        limit: Limit,
        keys: &[&str],
        sessions: u32,
    ) -> Vec<Duration> {
        let keys: Vec<String> =
            keys.iter().map(|key| format!("{}queue:limit:{{{queue}}}:key:{key}", self.prefix)).collect();
        if let Some(slots) = self.ask_reserve(&keys, limit).await {
            return slots.into_iter().map(Duration::from_micros).collect();
        }
        let (now, rate) = (self.micros(), Rate::shared(limit, sessions));
        if self.local.len() > BUCKETS {
            self.local.retain(|_, bucket| !bucket.is_full(now));
        }
        let slots = keys.into_iter().map(|key| {
            let bucket = self.local.entry(key).or_insert_with(|| Gcra::empty(now, rate));
            Duration::from_secs_f64(bucket.reserve(now, rate) / 1e6)
        });
        slots.collect()
    }

    fn queue_key(&self, queue: &str) -> String {
        format!("{}queue:limit:{{{queue}}}", self.prefix)
    }

    fn micros(&self) -> f64 {
        self.origin.elapsed().as_secs_f64() * 1e6
    }

    async fn ask_take(&mut self, key: &str, limit: Limit, wanted: i64) -> Option<(i64, u64)> {
        let rate = Rate::shared(limit, 1);
        let (script, timeout) = (self.take.clone(), self.timeout);
        let asking = async {
            let conn = self.connected().await?;
            let mut call = script.key(key);
            Ok(call.arg(rate.interval).arg(rate.burst).arg(wanted).invoke_async(conn).await?)
        };
        let answer = tokio::time::timeout(timeout, asking).await.unwrap_or_else(|late| Err(late.into()));
        self.note(answer)
    }

    async fn ask_reserve(&mut self, keys: &[String], limit: Limit) -> Option<Vec<u64>> {
        let rate = Rate::shared(limit, 1);
        let (script, timeout) = (self.reserve.clone(), self.timeout);
        let asking = async {
            let conn = self.connected().await?;
            let mut call = script.prepare_invoke();
            for key in keys {
                call.key(key);
            }
            Ok(call.arg(rate.interval).arg(rate.burst).invoke_async(conn).await?)
        };
        let answer = tokio::time::timeout(timeout, asking).await.unwrap_or_else(|late| Err(late.into()));
        self.note(answer).filter(|slots: &Vec<u64>| slots.len() == keys.len())
    }

    async fn connected(&mut self) -> Result<&mut MultiplexedConnection, BoxedError> {
        if Instant::now() < self.retry_at {
            return Err("Redis failed a moment ago".into());
        }
        let client = self.client.as_ref().ok_or("no Redis is configured")?;
        match &mut self.connection {
            Some(conn) => Ok(conn),
            none => Ok(none.insert(client.get_multiplexed_async_connection().await?)),
        }
    }

    /// After an answer the local buckets are dropped; after a failure Redis is not used for [`PAUSE`].
    fn note<T>(&mut self, answer: Result<T, BoxedError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.health.answered();
                self.local.clear();
                Some(answer)
            }
            Err(error) => {
                if self.client.is_some() && Instant::now() >= self.retry_at {
                    self.health.failed(&error);
                    self.connection = None;
                    self.retry_at = Instant::now() + PAUSE;
                }
                None
            }
        }
    }
}
