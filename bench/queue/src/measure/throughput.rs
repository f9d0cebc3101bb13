//! Rate at which one worker process finishes no-op jobs.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Site, enqueue};
use crate::contenders::{Contender, Due};
use crate::recorder::{Line, Watch};
use crate::time;
use crate::worker_process::WorkerProcess;

/// A contender that has not finished by then is measured over what it has done.
const LIMIT: Duration = Duration::from_mins(1);
/// How long a worker may take to start.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Jobs per second from the start of the first job until the measured number is done in the database.
pub async fn measure<C: Contender>(site: &Site<'_>, backlog: &[(u32, Due)]) -> Result<f64> {
    let (database, mut producer) = site.fresh::<C>().await?;
    let mut enqueued = 0;
    for (jobs, due) in backlog {
        enqueue::all(&mut producer, *jobs, *due).await?;
        enqueued += u64::from(*jobs);
    }
    site.server.settle(&database.name).await?;
    let mut worker = site.worker(&database.url, Watch::Count)?;
    let span = u64::from(site.sizes.span);
    let begun = handled(&mut worker, span).await?;
    let rate = loop {
        // A count includes what is done when it begins.
        let passed = time::now().saturating_sub(begun);
        let done = producer.done(enqueued).await?;
        if done >= span || passed >= LIMIT {
            #[expect(clippy::cast_precision_loss, reason = "millions of jobs are exact in an f64")]
            break done as f64 / passed.as_secs_f64();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    worker.end().await?;
    site.say(&format!("{rate:.0} jobs/s of {backlog:?}"));
    drop(producer);
    site.server.drop(&database.name).await?;
    Ok(rate)
}

/// Waits until the worker has handled this many jobs or the time is over; returns when its first one started.
pub(super) async fn handled(worker: &mut WorkerProcess, span: u64) -> Result<Duration> {
    let mut first = None;
    loop {
        match worker.next(first.map_or(WAIT_TIMEOUT, left)).await? {
            Some(Line::Handled { jobs, first: begun }) => {
                first = Some(begun);
                if jobs >= span || left(begun).is_zero() {
                    return Ok(begun);
                }
            }
            Some(Line::Began { .. }) => {}
            None => return first.context("the worker began no job"),
        }
    }
}

fn left(begun: Duration) -> Duration {
    (begun + LIMIT).saturating_sub(time::now())
}
