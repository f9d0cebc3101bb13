//! Latency from a job's commit to its start on an idle worker.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::Site;
use crate::contenders::{Contender, WakeUp};
use crate::recorder::{Line, Watch};
use crate::time;
use crate::worker_process::WorkerProcess;

/// Samples that are not counted, while connections open and statements are prepared.
const WARM_UP: u32 = 10;
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Percentiles of a latency.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub p50: Duration,
    pub p99: Duration,
}

/// Enqueues jobs one by one at random moments, and measures from the return of the commit to the start. A job that
/// started before the producer's commit returned counts as zero.
pub async fn measure<C: Contender>(site: &Site<'_>, wake_up: WakeUp) -> Result<Latency> {
    let (database, mut producer) = site.fresh::<C>().await?;
    site.server.settle(&database.name).await?;
    let mut worker = WorkerProcess::start(site.which, &database.url, site.redis, wake_up, Watch::Each)?;
    // With polling, moments are spread over a whole interval after the worker is idle, so that no phase is favoured.
    let (samples, pause) = match wake_up {
        WakeUp::Notified => (site.sizes.notified, 0..100),
        WakeUp::Polling => (site.sizes.polled, 1_000..2_000),
    };
    let mut random = fastrand::Rng::with_seed(1);
    let mut latencies = Vec::new();
    for number in 0..WARM_UP + samples {
        sleep(Duration::from_millis(random.u64(pause.clone()))).await;
        producer.enqueue_one(number).await?;
        let committed = time::now();
        let began = began(&mut worker, number).await?;
        if number >= WARM_UP {
            latencies.push(began.saturating_sub(committed));
        }
    }
    worker.end().await?;
    latencies.sort_unstable();
    let latency = Latency { p50: percentile(&latencies, 50), p99: percentile(&latencies, 99) };
    site.say(&format!("{latency:?} {wake_up:?}"));
    drop(producer);
    site.server.drop(&database.name).await?;
    Ok(latency)
}

async fn began(worker: &mut WorkerProcess, wanted: u32) -> Result<Duration> {
    loop {
        match worker.next(WAIT_TIMEOUT).await?.context("a job was not begun")? {
            Line::Began { number, at } if number == wanted => return Ok(at),
            _ => {}
        }
    }
}

/// The smallest value that this percentage of samples does not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(100));
        assert_eq!(percentile(&sorted, 99), Duration::from_millis(198));
        assert_eq!(percentile(&sorted[..1], 99), Duration::from_millis(1));
    }
}
