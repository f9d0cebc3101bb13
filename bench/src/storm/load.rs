//! Reads at a fixed rate, and logins as fast as possible.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::wire::{self, Wire};

/// Latencies, sorted.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The latency that this share of the requests does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a small whole number"
        )]
        let index = ((self.0.len() as f64 * share).ceil() as usize).max(1) - 1;
        self.0.get(index).copied().unwrap_or_default()
    }

    /// The same in milliseconds.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        self.quantile(share).as_secs_f64() * 1e3
    }

    pub(crate) fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }
}

/// Results of the logins.
#[derive(Debug)]
pub(super) struct Logins {
    pub done: Latencies,
    /// Answered with 503 because the queue was full.
    pub refused: usize,
    pub took: Duration,
}

/// Reads these paths in turn at a fixed rate. A read delayed by the previous one is measured from when it was due.
pub(super) async fn read(
    address: &str,
    paths: &[String],
    rate: u32,
    readers: usize,
    length: Duration,
) -> Result<Latencies> {
    let readers = u32::try_from(readers).unwrap_or(1);
    let period = Duration::from_secs(1) * readers / rate.max(1);
    let start = Instant::now() + Duration::from_millis(100);
    let mut tasks = JoinSet::new();
    for reader in 0..readers {
        let requests: Vec<Vec<u8>> = paths.iter().map(|path| wire::get(path)).collect();
        let mut wire = Wire::connect(address).await?;
        let first = start + period * reader / readers;
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            for (turn, request) in (0_u32..).zip(requests.iter().cycle()) {
                let due = first + period * turn;
                if due >= start + length {
                    break;
                }
                let began = if Instant::now() < due {
                    sleep_until(due).await;
                    // Timers fire up to a millisecond late, which must not count for the server.
                    Instant::now()
                } else {
                    due
                };
                let status = wire.ask(request).await?;
                anyhow::ensure!(status == 200, "a read is answered with {status}");
                latencies.push(began.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(latencies) = tasks.join_next().await {
        all.extend(latencies??);
    }
    Ok(Latencies::of(all))
}

/// Each logs in repeatedly until stopped, and waits after a 503 as told.
pub(super) async fn log_in(address: String, bodies: Vec<String>, stop: CancellationToken) -> Result<Logins> {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for body in bodies {
        let request = wire::post("/v1/auth/login", &body);
        let mut wire = Wire::connect(&address).await?;
        let stop = stop.clone();
        tasks.spawn(async move {
            let (mut done, mut refused) = (Vec::new(), 0_usize);
            while !stop.is_cancelled() {
                let asked = Instant::now();
                match wire.ask(&request).await.context("a login")? {
                    200 => done.push(asked.elapsed()),
                    503 => {
                        refused += 1;
                        sleep(Duration::from_secs(1)).await;
                    }
                    status => anyhow::bail!("a login is answered with {status}"),
                }
            }
            anyhow::Ok((done, refused))
        });
    }
    let (mut done, mut refused) = (Vec::new(), 0);
    while let Some(each) = tasks.join_next().await {
        let each = each??;
        done.extend(each.0);
        refused += each.1;
    }
    Ok(Logins { done: Latencies::of(done), refused, took: began.elapsed() })
}
