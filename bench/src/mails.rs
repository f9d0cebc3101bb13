//! `cargo dev bench mails`: how fast the worker sends, on a Postgres, a Redis and a mail server of its own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use punctual_core::config::Keys;
use punctual_core::notifications::enqueue_due;
use punctual_core::pool::{self, PoolSettings};
use punctual_launch::programs::clone_root;
use punctual_queue::{Clock as _, ServerClock, Wake};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::process::{Child, Command};

use super::machine::{STATUS_MISSING, build_shipped, folder_on_disk, start_postgres};
use super::sink::Sink;
use punctual_dev::console;
use punctual_dev::home::random_bytes;
use punctual_launch::servers::{Cluster, Consent, Needs, RedisServer, install_commands, ports, provide};
use punctual_testkit::schema;

/// How long a part may take.
const WAIT_TIMEOUT: Duration = Duration::from_mins(10);
/// How often locks are looked at.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How much.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Number of mails that wait when the worker starts
    #[arg(long, default_value_t = 20_000)]
    mails: usize,
    /// Check that it works with a tenth of the mails; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Measure this worker instead of building one (`deploy/build` makes the shipped one)
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Measures and prints a table.
///
/// # Errors
/// When a server does not start, or a mail does not arrive.
pub async fn run(options: Options) -> Result<ExitCode> {
    let needs = Needs { postgres: true, redis: true };
    let found = provide(needs, Consent::Ask, &console::step);
    let (Some(postgres), Some(redis)) = (found.postgres, found.redis) else {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(ExitCode::from(STATUS_MISSING));
    };
    let program = match &options.binary {
        Some(binary) => binary.canonicalize().context("--binary is not there")?,
        None => build_shipped("punctual-worker").await?,
    };
    let folder = folder_on_disk()?;
    let cluster = start_postgres(&postgres, folder.path(), &[("shared_buffers", "512MB")])?;
    let redis = RedisServer::start(&redis, &folder.path().join("redis"), ports::free_port())?;
    let count = if options.quick { options.mails / 10 } else { options.mails };
    let result = match Post::open(&program, &cluster, &redis, folder.path()).await {
        Ok(post) => post.measure(count).await,
        Err(error) => Err(error),
    };
    redis.stop()?;
    cluster.stop()?;
    result.map(|()| ExitCode::SUCCESS)
}

struct Post<'a> {
    program: &'a Path,
    folder: &'a Path,
    environment: BTreeMap<&'static str, String>,
    pool: PgPool,
    wake: Wake,
    sink: Sink,
}

impl<'a> Post<'a> {
    async fn open(
        program: &'a Path,
        cluster: &Cluster,
        redis: &RedisServer,
        folder: &'a Path,
    ) -> Result<Self> {
        let url = cluster.url("postgres");
        schema::migrate(&mut PgConnection::connect(&url).await?).await?;
        let settings = PoolSettings {
            program: "bench",
            connections: 2,
            statement_timeout: WAIT_TIMEOUT,
            acquire_timeout: Duration::from_secs(5),
        };
        let pool = pool::connect(&url, &settings)?;
        let domain = fs::read_to_string(clone_root().join("bench/punctual.sql"))?;
        sqlx::raw_sql(AssertSqlSafe(domain)).execute(&pool).await?;
        let sink = Sink::start().await?;
        let environment = [
            ("DATABASE_URL", url),
            ("REDIS_URL", redis.url()),
            ("SMTP_URL", sink.url()),
            ("PUNCTUAL_LINK_KEYS", Keys::write_local(1, &random_bytes::<32>()?)),
        ]
        .into();
        let prefix = punctual_queue::redis_prefix(&mut *pool.acquire().await?).await?;
        let wake = Wake::connect_with(Some(&redis.url()), &prefix)?;
        Ok(Self { program, folder, environment, pool, wake, sink })
    }

    async fn measure(&self, count: usize) -> Result<()> {
        println!("| | |\n|---|---:|");
        let mut worker = self.worker()?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        println!("| worker at rest, resident MiB | {:.1} |", resident(&worker)?);
        let (p50, p99) = self.latency(count / 50).await?;
        println!("| commit to DATA, p50 / p99 ms | {p50:.1} / {p99:.1} |");
        worker.kill().await?;
        for workers in [1, 10] {
            let (rate, locked) = self.backlog(count, workers).await?;
            println!("| {count} mails waiting, {workers} worker(s), mails/s | {rate:.0} |");
            println!("| … of the time of their statements, waiting for locks | {:.1} % |", locked * 100.0);
        }
        Ok(())
    }

    /// One after the other: from the commit of ledger row and job to DATA at the mail server.
    async fn latency(&self, count: usize) -> Result<(f64, f64)> {
        let mut took = Vec::with_capacity(count);
        for _ in 0..count {
            self.owe(1).await?;
            self.sink.forget();
            let committed = self.hand_over().await?;
            let (data, _) = self.sink.wait_for(1, WAIT_TIMEOUT).await?;
            took.push(data.saturating_duration_since(committed).as_secs_f64() * 1e3);
            self.settled().await?;
        }
        took.sort_unstable_by(f64::total_cmp);
        let at = |share: usize| {
            took.get((took.len() * share / 100).min(took.len() - 1)).copied().unwrap_or_default()
        };
        Ok((at(50), at(99)))
    }

    /// All wait when the workers start; mails a second, and the share of their statements' time that was spent waiting
    /// for locks.
    async fn backlog(&self, count: usize, workers: usize) -> Result<(f64, f64)> {
        self.owe(count).await?;
        self.hand_over().await?;
        sqlx::raw_sql("VACUUM (ANALYZE) notifications, queue.jobs, bookings, customers")
            .execute(&self.pool)
            .await?;
        self.sink.forget();
        let mut running = (0..workers).map(|_| self.worker()).collect::<Result<Vec<_>>>()?;
        let mut looks = LockSamples::default();
        let (first, last) = tokio::select! {
            span = self.sink.wait_for(count, WAIT_TIMEOUT) => span?,
            failed = self.watch_locks(&mut looks) => failed.map(|never| match never {})?,
        };
        self.settled().await?;
        for worker in &mut running {
            worker.kill().await?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of mails")]
        let rate = count as f64 / (last - first).as_secs_f64();
        Ok((rate, looks.share()))
    }

    /// Enters so many confirmations in the ledger.
    async fn owe(&self, count: usize) -> Result<()> {
        let statement = fs::read_to_string(clone_root().join("bench/mails.sql"))?;
        sqlx::raw_sql("TRUNCATE bookings, customers, notifications CASCADE").execute(&self.pool).await?;
        sqlx::query(AssertSqlSafe(statement)).bind(i64::try_from(count)?).execute(&self.pool).await?;
        Ok(())
    }

    /// Makes their jobs, and wakes the workers; when that was committed.
    async fn hand_over(&self) -> Result<Instant> {
        let clock = ServerClock::start(&self.pool).await?;
        enqueue_due(&self.pool, clock.now()).await?;
        let committed = Instant::now();
        self.wake.wake("mails");
        Ok(committed)
    }

    /// Waits until the ledger says of all that they were sent.
    async fn settled(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let open: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM notifications WHERE outcome IS DISTINCT FROM 'sent'",
            )
            .fetch_one(&self.pool)
            .await?;
            if open == 0 {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < WAIT_TIMEOUT,
                "the ledger knows nothing of {open} mails that were sent"
            );
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }

    /// Repeatedly samples what the workers' statements wait for.
    async fn watch_locks(&self, looks: &mut LockSamples) -> Result<Infallible> {
        loop {
            let (active, locked): (i64, i64) = sqlx::query_as(
                "SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock') FROM pg_stat_activity
                 WHERE application_name = 'punctual-worker' AND state = 'active'",
            )
            .fetch_one(&self.pool)
            .await?;
            looks.active += active;
            looks.locked += locked;
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }

    fn worker(&self) -> Result<Child> {
        let log = fs::File::create(self.folder.join("worker.log"))?;
        Command::new(self.program)
            .envs(&self.environment)
            .env("PUNCTUAL_WORKER_METRICS_LISTEN", format!("127.0.0.1:{}", ports::free_port()))
            .stdout(log)
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .context("the worker does not start")
    }
}

/// Statements seen at work, and those of them that waited for a lock.
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
