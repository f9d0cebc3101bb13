//! Restarts ended programs, with growing waits while they keep ending.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::Stack;
use crate::console;
use crate::servers::{Cluster, RedisServer};

/// How soon an ended program is seen.
const WATCH_PERIOD: Duration = Duration::from_millis(500);
/// Wait before the second consecutive start; it doubles with each.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);
/// A program that ran this long restarts at once.
const STEADY: Duration = Duration::from_mins(1);

/// When an ended program may restart.
#[derive(Clone, Copy, Debug)]
pub struct Restarts {
    in_a_row: u32,
    last_start: Instant,
    due: Option<Instant>,
}

impl Restarts {
    /// Of something that has just been started.
    #[must_use]
    pub fn new() -> Self {
        Self { in_a_row: 0, last_start: Instant::now(), due: None }
    }

    /// Called while it does not run: whether to start it now. Prints once that it ended and when it restarts.
    fn is_due(&mut self, name: &str, how: &str) -> bool {
        let now = Instant::now();
        if self.due.is_none() {
            if now.duration_since(self.last_start) > STEADY {
                self.in_a_row = 0;
            }
            let delay = delay(self.in_a_row);
            let when = if delay.is_zero() { String::new() } else { format!(" in {} s", delay.as_secs()) };
            console::problem(&format!("{name} ended{how}; starting it again{when}"));
            self.due = Some(now + delay);
        }
        self.due.is_some_and(|due| due <= now)
    }

    /// Called at each attempt to start it, whether it succeeds or not.
    fn started(&mut self) {
        *self = Self { in_a_row: self.in_a_row.saturating_add(1), last_start: Instant::now(), due: None };
    }
}

fn delay(in_a_row: u32) -> Duration {
    match in_a_row {
        0 => Duration::ZERO,
        n => (FIRST_DELAY * 2_u32.saturating_pow(n - 1)).min(MAX_DELAY),
    }
}

impl Stack {
    /// Watches the programs and restarts those that end; never returns.
    ///
    /// # Errors
    /// When a program of ours is gone from the disk, or what runs cannot be written down.
    pub async fn watch(&mut self) -> Result<()> {
        let (mut postgres, mut redis) = (Restarts::new(), Restarts::new());
        loop {
            sleep(WATCH_PERIOD).await;
            if self.postgres.as_mut().is_some_and(Cluster::has_ended) && postgres.is_due("Postgres", "") {
                postgres.started();
                complain(self.start_postgres().await);
            }
            if self.redis.as_mut().is_some_and(RedisServer::has_ended) && redis.is_due("Redis", "") {
                redis.started();
                complain(self.start_redis().await);
            }
            for running in self.api.iter_mut().chain(&mut self.workers) {
                let Some(status) = running.try_wait()? else { continue };
                let mut restarts = running.restarts;
                let is_due = restarts.is_due(&running.service.name, &format!(" ({status})"));
                if is_due {
                    restarts.started();
                    *running = running.service.start()?;
                }
                running.restarts = restarts;
            }
            self.record()?;
        }
    }
}

fn complain(result: Result<()>) {
    if let Err(error) = result {
        console::problem(&format!("{error:#}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_once_then_ever_later_but_at_least_twice_a_minute() {
        let delays: Vec<u64> = (0..8).map(|n| delay(n).as_secs()).collect();
        assert_eq!(delays, [0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(delay(u32::MAX), MAX_DELAY);
    }
}
