//! Faults and pressure: how a contender works through its jobs when something goes wrong around it.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::sleep;

use super::throughput::handled;
use super::{Site, enqueue};
use crate::contenders::{Contender, Due};
use crate::recorder::{Line, Watch};
use crate::time;
use crate::worker_process::WorkerProcess;

/// What is not done by then, counted from the fault, counts as missing.
const LIMIT: Duration = Duration::from_mins(2);
/// How long a worker may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks at what is done.
const INTERVAL: Duration = Duration::from_millis(20);
/// Connections that others leave to a contender.
const CONNECTIONS_LEFT: i64 = 12;
/// Pause before a worker process that ended is started again, as a supervisor does.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// How the jobs ended that were there at the fault.
#[derive(Clone, Copy, Debug)]
pub enum Recovery {
    /// All were done so long after the fault.
    After(Duration),
    /// So many were not done two minutes after it.
    Missing(u64),
}

/// How a contender recovers.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// One of two worker processes is killed.
    pub killed: Recovery,
    /// The database crashes and recovers. A worker process that ends is started again.
    pub crashed: Recovery,
}

/// Rates in jobs per second.
#[derive(Clone, Copy, Debug)]
pub struct Pressure {
    /// Others hold nearly all connections of the server.
    pub few_connections: f64,
    /// A transaction stays open, so that no dead row can be removed, after as many jobs were done.
    pub long_transaction: f64,
    /// One of a thousand jobs takes a second.
    pub slow_jobs: f64,
}

pub async fn measure<C: Contender>(site: &Site<'_>) -> Result<Faults> {
    Ok(Faults { killed: killed::<C>(site).await?, crashed: crashed::<C>(site).await? })
}

pub async fn measure_pressure<C: Contender>(site: &Site<'_>) -> Result<Pressure> {
    Ok(Pressure {
        few_connections: few_connections::<C>(site).await?,
        long_transaction: long_transaction::<C>(site).await?,
        slow_jobs: slow_jobs::<C>(site).await?,
    })
}

async fn killed<C: Contender>(site: &Site<'_>) -> Result<Recovery> {
    let (database, mut producer) = site.fresh::<C>().await?;
    enqueue::all(&mut producer, site.sizes.span, Due::Now).await?;
    site.server.settle(&database.name).await?;
    // Killed in the middle of some of its jobs, which take a second.
    let mut victim = site.worker(&database.url, Watch::CountSlow)?;
    let survivor = site.worker(&database.url, Watch::Count)?;
    handles(&mut victim, u64::from(site.sizes.span) / 10).await?;
    victim.end().await?;
    let mut workers = Workers { site, url: &database.url, worker: Some(survivor) };
    let recovery = all_done(&mut workers, &mut producer, u64::from(site.sizes.span)).await?;
    site.say(&format!("one of two workers killed: {recovery:?}"));
    site.server.drop(&database.name).await?;
    Ok(recovery)
}

async fn crashed<C: Contender>(site: &Site<'_>) -> Result<Recovery> {
    let (database, mut producer) = site.fresh::<C>().await?;
    enqueue::all(&mut producer, site.sizes.span, Due::Now).await?;
    site.server.settle(&database.name).await?;
    let mut worker = site.worker(&database.url, Watch::Count)?;
    handles(&mut worker, u64::from(site.sizes.span) / 10).await?;
    crash(&database.url).await?;
    let mut workers = Workers { site, url: &database.url, worker: Some(worker) };
    let recovery = all_done(&mut workers, &mut producer, u64::from(site.sizes.span)).await?;
    site.say(&format!("database crashed: {recovery:?}"));
    site.server.drop(&database.name).await?;
    Ok(recovery)
}

async fn few_connections<C: Contender>(site: &Site<'_>) -> Result<f64> {
    let (database, mut producer) = site.fresh::<C>().await?;
    enqueue::all(&mut producer, site.sizes.span, Due::Now).await?;
    site.server.settle(&database.name).await?;
    let mut conn = PgConnection::connect(&database.url).await?;
    let free: i64 = sqlx::query_scalar(
        "SELECT current_setting('max_connections')::bigint - count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
    )
    .fetch_one(&mut conn)
    .await?;
    let mut others = Vec::new();
    for _ in CONNECTIONS_LEFT..free {
        others.push(PgConnection::connect(&database.url).await?);
    }
    let rate = rate(site, &database.url, &mut producer, 0, Watch::Count).await?;
    site.say(&format!("{rate:.0} jobs/s with {CONNECTIONS_LEFT} connections"));
    drop((others, conn));
    site.server.drop(&database.name).await?;
    Ok(rate)
}

async fn long_transaction<C: Contender>(site: &Site<'_>) -> Result<f64> {
    let (database, mut producer) = site.fresh::<C>().await?;
    let mut conn = PgConnection::connect(&database.url).await?;
    conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    conn.execute("SELECT count(*) FROM pg_class").await?;
    let span = site.sizes.span;
    enqueue::all(&mut producer, span, Due::Now).await?;
    rate(site, &database.url, &mut producer, 0, Watch::Count).await?;
    enqueue::all(&mut producer, span, Due::Now).await?;
    let rate = rate(site, &database.url, &mut producer, u64::from(span), Watch::Count).await?;
    site.say(&format!("{rate:.0} jobs/s during a long transaction"));
    drop(conn);
    site.server.drop(&database.name).await?;
    Ok(rate)
}

async fn slow_jobs<C: Contender>(site: &Site<'_>) -> Result<f64> {
    let (database, mut producer) = site.fresh::<C>().await?;
    enqueue::all(&mut producer, site.sizes.span, Due::Now).await?;
    site.server.settle(&database.name).await?;
    let rate = rate(site, &database.url, &mut producer, 0, Watch::CountSlow).await?;
    site.say(&format!("{rate:.0} jobs/s with slow ones"));
    site.server.drop(&database.name).await?;
    Ok(rate)
}

/// Jobs per second of a new worker process from its first job until the span is done in the database, on top of those that
/// are done already; of what is done after two minutes if that is less.
async fn rate<C: Contender>(
    site: &Site<'_>,
    url: &str,
    producer: &mut C,
    already: u64,
    watch: Watch,
) -> Result<f64> {
    let mut worker = site.worker(url, watch)?;
    let wanted = u64::from(site.sizes.span);
    // Counting meanwhile would take from those that keep what is done.
    let begun = handled(&mut worker, wanted).await?;
    let rate = loop {
        let passed = time::now().saturating_sub(begun);
        let done = producer.done(already + wanted).await?.saturating_sub(already);
        if done >= wanted || passed >= LIMIT {
            #[expect(clippy::cast_precision_loss, reason = "millions of jobs are exact in an f64")]
            break done as f64 / passed.as_secs_f64();
        }
        sleep(INTERVAL).await;
    };
    worker.end().await?;
    Ok(rate)
}

/// The worker process that is left, with what is needed to start it again.
struct Workers<'a> {
    site: &'a Site<'a>,
    url: &'a str,
    worker: Option<WorkerProcess>,
}

impl Workers<'_> {
    /// Starts the worker again if it has ended.
    async fn supervise(&mut self) -> Result<()> {
        if self.worker.as_mut().is_none_or(|worker| worker.has_ended().unwrap_or(true)) {
            self.worker = None;
            sleep(RESTART_DELAY).await;
            self.worker = Some(self.site.worker(self.url, Watch::Count)?);
        }
        Ok(())
    }
}

/// Waits until all these jobs are done in the database.
async fn all_done<C: Contender>(workers: &mut Workers<'_>, producer: &mut C, jobs: u64) -> Result<Recovery> {
    let fault = time::now();
    let mut done = 0;
    loop {
        match producer.done(jobs).await {
            Ok(now_done) => done = now_done,
            // The connection of the producer was cut, or the database recovers.
            Err(_) => {
                if let Ok(again) = C::open(workers.url, workers.site.redis).await {
                    *producer = again;
                }
            }
        }
        let passed = time::now().saturating_sub(fault);
        if done >= jobs {
            break Ok(Recovery::After(passed));
        }
        if passed >= LIMIT {
            break Ok(Recovery::Missing(jobs - done));
        }
        workers.supervise().await?;
        sleep(INTERVAL).await;
    }
}

/// Waits until the worker has handled this many jobs; returns when its first one started.
async fn handles(worker: &mut WorkerProcess, jobs: u64) -> Result<Duration> {
    loop {
        match worker.next(START_TIMEOUT).await?.context("the worker handles no jobs")? {
            Line::Handled { jobs: handled, first } if handled >= jobs => return Ok(first),
            _ => {}
        }
    }
}

/// Kills a connection's process: Postgres then ends all others, and recovers from its log.
async fn crash(url: &str) -> Result<()> {
    let mut conn = PgConnection::connect(url).await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut conn).await?;
    let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status()?;
    ensure!(killed.success(), "the database cannot be crashed: it must run on this machine");
    Ok(())
}
