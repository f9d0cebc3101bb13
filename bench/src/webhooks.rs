//! `cargo dev bench webhooks`: how fast one worker posts webhooks, alone and beside mails, and how late the good ones of a
//! thousand endpoints are told while a tenth never answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use punctual_core::Core;
use punctual_core::config::{Config, Keys};
use punctual_core::notifications::enqueue_due;
use punctual_core::pool::{self, PoolSettings};
use punctual_core::types::Reason;
use punctual_core::webhooks::{self, NewEndpoint, WebhookUrl};
use punctual_dev::console;
use punctual_dev::home::random_bytes;
use punctual_launch::programs::clone_root;
use punctual_launch::servers::{Cluster, Consent, Needs, RedisServer, install_commands, ports, provide};
use punctual_queue::{ServerClock, Wake};
use punctual_testkit::schema;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::process::{Child, Command};

use super::hook_receiver::Receivers;
use super::machine::{STATUS_MISSING, build_shipped, folder_on_disk, start_postgres};
use super::sink::Sink;

/// How long a part may take.
const WAIT_TIMEOUT: Duration = Duration::from_mins(10);
/// Endpoints of the backlog: enough that the limit of each, 50 a second, does not count.
const MANY: usize = 100;
/// Endpoints of the second part, and how many of them never answer.
const ENDPOINTS: usize = 1_000;
const DEAD: usize = 100;
/// Between two events of the second part.
const EVENT_INTERVAL: Duration = Duration::from_secs(4);

/// How much.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Deliveries that wait when the worker starts, in hundreds
    #[arg(long, default_value_t = 100)]
    events: usize,
    /// Mails that wait beside them
    #[arg(long, default_value_t = 10_000)]
    mails: usize,
    /// Events that a thousand endpoints are told of
    #[arg(long, default_value_t = 30)]
    told: usize,
    /// A tenth of all
    #[arg(long)]
    quick: bool,
    /// A program built before, in place of one that is built now (`deploy/build`)
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Measures and prints a table.
///
/// # Errors
/// When a server does not start, or a webhook does not arrive.
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
    let result = match Hooks::open(&program, &cluster, &redis, folder.path()).await {
        Ok(hooks) => hooks.measure(&options).await,
        Err(error) => Err(error),
    };
    redis.stop()?;
    cluster.stop()?;
    result.map(|()| ExitCode::SUCCESS)
}

struct Hooks<'a> {
    program: &'a Path,
    folder: &'a Path,
    environment: BTreeMap<&'static str, String>,
    core: Core,
    keys: Keys,
    sink: Sink,
    receivers: Receivers,
}

impl<'a> Hooks<'a> {
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
        let written = Keys::write_local(1, &random_bytes::<32>()?);
        let variables = [("PUNCTUAL_LINK_KEYS".to_owned(), written.clone())].into();
        let config = Config::parse(variables, |_| Err(std::io::ErrorKind::NotFound.into()))?;
        let environment = [
            ("DATABASE_URL", url),
            ("REDIS_URL", redis.url()),
            ("SMTP_URL", sink.url()),
            ("PUNCTUAL_LINK_KEYS", written),
            ("PUNCTUAL_WEBHOOK_NETWORKS", "127.0.0.0/8".to_owned()),
        ]
        .into();
        let prefix = punctual_queue::redis_prefix(&mut *pool.acquire().await?).await?;
        let wake = Wake::connect_with(Some(&redis.url()), &prefix)?;
        let core = Core::new(pool.clone(), ServerClock::start(&pool).await?, wake);
        let (keys, receivers) = (config.link_keys()?.clone(), Receivers::start().await?);
        Ok(Self { program, folder, environment, core, keys, sink, receivers })
    }

    fn pool(&self) -> &PgPool {
        &self.core.pool
    }

    async fn measure(&self, options: &Options) -> Result<()> {
        let share = if options.quick { 10 } else { 1 };
        let (events, mails, told) = (options.events / share, options.mails / share, options.told / share);
        println!("| | |\n|---|---:|");
        let alone = self.backlog(events, 0).await?;
        println!("| {} deliveries waiting, one worker, deliveries/s | {:.0} |", events * MANY, alone.0);
        let (posted, sent) = self.backlog(events, mails).await?;
        println!("| … beside {mails} mails waiting, deliveries/s and mails/s | {posted:.0} and {sent:.0} |");
        let late = self.latency(told.max(2)).await?;
        println!(
            "| {ENDPOINTS} endpoints, {DEAD} of them silent, an event each {} s: commit to a good one, p50 / p99 / last ms | \
             {:.0} / {:.0} / {:.0} |",
            EVENT_INTERVAL.as_secs(),
            late.0,
            late.1,
            late.2
        );
        Ok(())
    }

    /// Deliveries and mails that wait when the worker starts; how many of each it does in a second.
    async fn backlog(&self, events: usize, mails: usize) -> Result<(f64, f64)> {
        self.endpoints(MANY, 0).await?;
        let changed = "UPDATE staff SET updated_at = updated_at + interval '1 second'
                       WHERE id IN (SELECT id FROM staff ORDER BY id LIMIT $1)";
        sqlx::query(changed).bind(i64::try_from(events)?).execute(self.pool()).await?;
        sqlx::raw_sql("TRUNCATE bookings, customers, notifications CASCADE").execute(self.pool()).await?;
        if mails > 0 {
            let statement = fs::read_to_string(clone_root().join("bench/mails.sql"))?;
            let owed = sqlx::query(AssertSqlSafe(statement)).bind(i64::try_from(mails)?);
            owed.execute(self.pool()).await?;
            // The customers of the mails are events too, which these endpoints are not told of.
            enqueue_due(self.pool(), self.core.now()).await?;
        }
        while webhooks::fan_out(&self.core).await?.endpoints > 0 {}
        sqlx::raw_sql("VACUUM ANALYZE").execute(self.pool()).await?;
        self.sink.forget();
        self.receivers.forget();
        let mut worker = self.worker()?;
        let sent = async {
            match mails {
                0 => Ok(None),
                _ => self.sink.wait_for(mails, WAIT_TIMEOUT).await.map(Some),
            }
        };
        let (posted, sent) = tokio::join!(self.receivers.wait_for(events * MANY, WAIT_TIMEOUT), sent);
        posted?;
        let arrived: Vec<Instant> = self.receivers.arrived().into_values().flatten().collect();
        let first = *arrived.iter().min().context("nothing arrived")?;
        let last = *arrived.iter().max().context("nothing arrived")?;
        worker.kill().await?;
        let mails_rate = sent?.map_or(0.0, |(first, last)| rate(mails, last - first));
        Ok((rate(arrived.len(), last - first), mails_rate))
    }

    /// Events one after the other; from the commit of each to its arrival at every good endpoint: p50, p99 and the last.
    async fn latency(&self, events: usize) -> Result<(f64, f64, f64)> {
        self.endpoints(ENDPOINTS - DEAD, DEAD).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(self.pool()).await?;
        self.receivers.forget();
        let mut worker = self.worker()?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut committed = Vec::new();
        for number in 0..events {
            let changed = "UPDATE staff SET updated_at = updated_at + interval '1 second'
                           WHERE id = (SELECT id FROM staff ORDER BY id OFFSET $1 LIMIT 1)";
            sqlx::query(changed).bind(i64::try_from(number)?).execute(self.pool()).await?;
            committed.push(Instant::now());
            tokio::time::sleep(EVENT_INTERVAL).await;
        }
        self.receivers.wait_for(events * (ENDPOINTS - DEAD), WAIT_TIMEOUT).await?;
        worker.kill().await?;
        let mut by_event: Vec<Vec<Instant>> = self.receivers.arrived().into_values().collect();
        by_event.sort_by_key(|arrived| arrived.iter().min().copied());
        let mut took: Vec<f64> = by_event
            .iter()
            .zip(&committed)
            .flat_map(|(arrived, committed)| {
                arrived.iter().map(|at| at.saturating_duration_since(*committed).as_secs_f64() * 1e3)
            })
            .collect();
        took.sort_unstable_by(f64::total_cmp);
        let at = |share: usize| {
            took.get((took.len() * share / 100).min(took.len() - 1)).copied().unwrap_or_default()
        };
        Ok((at(50), at(99), at(100)))
    }

    /// These endpoints in place of those before. All are told of changes of staff.
    async fn endpoints(&self, good: usize, dead: usize) -> Result<()> {
        sqlx::raw_sql("DELETE FROM webhook_endpoints; TRUNCATE queue.jobs").execute(self.pool()).await?;
        for number in 0..good + dead {
            let url = self.receivers.url(number, number >= good);
            let new = NewEndpoint {
                url: WebhookUrl::parse(&url)?,
                description: Reason::default(),
                types: vec![punctual_core::changes::EventType::StaffUpdated],
                include_customer: false,
            };
            webhooks::create(&self.core, &self.keys, new, true).await?;
        }
        Ok(())
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

#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
