//! `cargo dev bench mails`: how fast the worker sends, on a Postgres, a Redis and a mail server of its own.

use std::convert::Infallible;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use punctual_core::notifications::enqueue_due;
use punctual_queue::{Clock as _, ServerClock};
use tokio::process::Child;

use super::setup::{ProgramOptions, Setup, WAIT_TIMEOUT, percentile, rate, with_program};

/// Interval at which locks are sampled.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Interval at which the jobs of mails that are not put off yet are looked for: each look reads all jobs.
const PUT_OFF_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Size of the run.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Number of mails that wait when the worker starts
    #[arg(long, default_value_t = 20_000)]
    mails: usize,
    /// Check that it works with a tenth of the mails; the figures mean nothing
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    program: ProgramOptions,
}

/// Measures and prints a table.
///
/// # Errors
/// When a server does not start, or a mail does not arrive.
pub async fn run(options: Options) -> Result<ExitCode> {
    let count = if options.quick { options.mails / 10 } else { options.mails };
    with_program("punctual-worker", &options.program, async move |setup| measure(&setup, count).await).await
}

async fn measure(setup: &Setup, count: usize) -> Result<()> {
    println!("| | |\n|---|---:|");
    let mut worker = setup.worker()?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("| worker at rest, resident MiB | {:.1} |", resident(&worker)?);
    let (p50, p99) = latency(setup, count / 50).await?;
    println!("| commit to DATA, p50 / p99 ms | {p50:.1} / {p99:.1} |");
    worker.kill().await?;
    setup.print_statements("one at a time").await?;
    for workers in [1, 10] {
        let (rate, locked) = backlog(setup, count, workers).await?;
        println!("| {count} mails waiting, {workers} worker(s), mails/s | {rate:.0} |");
        println!("| … of the time of their statements, waiting for locks | {:.1} % |", locked * 100.0);
        setup.print_statements(&format!("{workers} worker(s)")).await?;
    }
    let (put_off, sent) = outage(setup, count).await?;
    println!("| {count} mails due while the mail server is down, put off, mails/s | {put_off:.0} |");
    println!("| … sent once it works, mails/s | {sent:.0} |");
    setup.print_statements("outage").await
}

/// Sends mails one after the other. Percentiles (50, 99) in milliseconds, from the commit of ledger row and job to DATA.
async fn latency(setup: &Setup, count: usize) -> Result<(f64, f64)> {
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        setup.store_due_mails(1).await?;
        setup.sink.forget();
        let committed = hand_over(setup).await?;
        let (data, _) = setup.sink.wait_for(1, WAIT_TIMEOUT).await?;
        took.push(data.saturating_duration_since(committed).as_secs_f64() * 1e3);
        settled(setup).await?;
    }
    took.sort_unstable_by(f64::total_cmp);
    Ok((percentile(&took, 50), percentile(&took, 99)))
}

/// Mails a second when all wait before the workers start, and the share of the statements' time spent waiting for locks.
async fn backlog(setup: &Setup, count: usize, workers: usize) -> Result<(f64, f64)> {
    setup.store_due_mails(count).await?;
    hand_over(setup).await?;
    sqlx::raw_sql("VACUUM (ANALYZE) notifications, queue.jobs, bookings, customers")
        .execute(&setup.pool)
        .await?;
    setup.sink.forget();
    let mut running = (0..workers).map(|_| setup.worker()).collect::<Result<Vec<_>>>()?;
    let mut looks = LockSamples::default();
    let (first, last) = tokio::select! {
        span = setup.sink.wait_for(count, WAIT_TIMEOUT) => span?,
        failed = watch_locks(setup, &mut looks) => failed.map(|never| match never {})?,
    };
    settled(setup).await?;
    for worker in &mut running {
        worker.kill().await?;
    }
    Ok((rate(count, last - first), looks.share()))
}

/// Mails a second that one worker puts off while the mail server is down, and sends when an operator has it tested.
async fn outage(setup: &Setup, count: usize) -> Result<(f64, f64)> {
    setup.sink.set_down(true);
    setup.store_due_mails(count).await?;
    let begun = hand_over(setup).await?;
    let mut worker = setup.worker()?;
    loop {
        let untried: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM queue.jobs WHERE kind = 'mail.send.v1' AND snoozes = 0 AND finalized_at IS NULL)",
        )
        .fetch_one(&setup.pool)
        .await?;
        if !untried {
            break;
        }
        ensure!(begun.elapsed() < WAIT_TIMEOUT, "the worker has not put all mails off");
        tokio::time::sleep(PUT_OFF_POLL_INTERVAL).await;
    }
    let put_off = begun.elapsed();
    setup.sink.forget();
    setup.sink.set_down(false);
    setup.probe_relay().await?;
    let (first, last) = setup.sink.wait_for(count, WAIT_TIMEOUT).await?;
    settled(setup).await?;
    worker.kill().await?;
    Ok((rate(count, put_off), rate(count, last - first)))
}

/// Enqueues their jobs and wakes the workers; returns the time of the commit.
async fn hand_over(setup: &Setup) -> Result<Instant> {
    let clock = ServerClock::start(&setup.pool).await?;
    enqueue_due(&setup.pool, clock.now()).await?;
    let committed = Instant::now();
    setup.wake.wake("mails");
    Ok(committed)
}

/// Waits until the ledger has recorded all as sent.
async fn settled(setup: &Setup) -> Result<()> {
    let begun = Instant::now();
    loop {
        let open: i64 =
            sqlx::query_scalar("SELECT count(*) FROM notifications WHERE outcome IS DISTINCT FROM 'sent'")
                .fetch_one(&setup.pool)
                .await?;
        if open == 0 {
            return Ok(());
        }
        ensure!(begun.elapsed() < WAIT_TIMEOUT, "the ledger knows nothing of {open} mails that were sent");
        tokio::time::sleep(LOCK_POLL_INTERVAL).await;
    }
}

/// Repeatedly samples what the workers' statements wait for.
async fn watch_locks(setup: &Setup, looks: &mut LockSamples) -> Result<Infallible> {
    loop {
        let (active, locked): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock') FROM pg_stat_activity
             WHERE application_name = 'punctual-worker' AND state = 'active'",
        )
        .fetch_one(&setup.pool)
        .await?;
        looks.active += active;
        looks.locked += locked;
        tokio::time::sleep(LOCK_POLL_INTERVAL).await;
    }
}

/// Samples of active statements, and of those that waited for a lock.
#[derive(Default)]
struct LockSamples {
    active: i64,
    locked: i64,
}

impl LockSamples {
    #[expect(clippy::cast_precision_loss, reason = "counts of looks")]
    fn share(&self) -> f64 {
        self.locked as f64 / self.active.max(1) as f64
    }
}

/// MiB of memory that the process has resident.
fn resident(child: &Child) -> Result<f64> {
    let pid = child.id().context("the worker has ended")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next());
    Ok(kib.context("no VmRSS")?.parse::<f64>()? / 1024.0)
}
