//! A program to be measured, with a Postgres, a Redis and a mail server of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use punctual_core::config::Keys;
use punctual_core::pool::{self, PoolSettings};
use punctual_dev::console;
use punctual_dev::home::random_bytes;
use punctual_launch::programs::clone_root;
use punctual_launch::servers::{Cluster, Consent, Needs, RedisServer, install_commands, ports, provide};
use punctual_queue::Wake;
use punctual_testkit::schema;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::process::{Child, Command};

use super::machine::{STATUS_MISSING, build_shipped, folder_on_disk, start_postgres};
use super::sink::Sink;

/// How long a part of a benchmark may take.
pub(super) const WAIT_TIMEOUT: Duration = Duration::from_mins(10);
/// Library of Postgres that counts and times statements.
const STATISTICS: &str = "pg_stat_statements";
/// Rows of [`Setup::print_statements`].
const STATEMENTS: i64 = 20;
/// How long an api may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ProgramOptions {
    /// Measure this program instead of building one (`deploy/build` makes the shipped one)
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Also print, for each part, the statements on which Postgres spent the most time; the other figures become a little worse
    #[arg(long)]
    statements: bool,
}

pub(super) struct Setup {
    program: PathBuf,
    statements: bool,
    folder: PathBuf,
    environment: BTreeMap<&'static str, String>,
    /// Keys of the links and webhook secrets, as the worker's setting has them.
    pub(super) link_keys: String,
    pub(super) pool: PgPool,
    pub(super) wake: Wake,
    pub(super) sink: Sink,
}

/// Starts the servers, measures the program, and stops the servers.
///
/// # Errors
/// When a server does not start; those of `measure`.
pub(super) async fn with_program(
    program: &str,
    options: &ProgramOptions,
    measure: impl AsyncFnOnce(Setup) -> Result<()>,
) -> Result<ExitCode> {
    let needs = Needs { postgres: true, redis: true };
    let found = provide(needs, Consent::Ask, &console::step);
    let (Some(postgres), Some(redis)) = (found.postgres, found.redis) else {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(ExitCode::from(STATUS_MISSING));
    };
    let program = match &options.binary {
        Some(binary) => binary.canonicalize().context("--binary is not there")?,
        None => build_shipped(program).await?,
    };
    let folder = folder_on_disk()?;
    let mut settings = vec![("shared_buffers", "512MB")];
    if options.statements {
        settings.push(("shared_preload_libraries", STATISTICS));
        settings.push(("pg_stat_statements.track_planning", "on"));
    }
    let cluster = start_postgres(&postgres, folder.path(), &settings)?;
    let redis = RedisServer::start(&redis, &folder.path().join("redis"), ports::free_port())?;
    let result = match Setup::open(program, options.statements, &cluster, &redis, folder.path()).await {
        Ok(setup) => measure(setup).await,
        Err(error) => Err(error),
    };
    redis.stop()?;
    cluster.stop()?;
    result.map(|()| ExitCode::SUCCESS)
}

/// A running api.
pub(super) struct Api {
    _child: Child,
    /// Host and port.
    pub(super) address: String,
}

impl Setup {
    async fn open(
        program: PathBuf,
        statements: bool,
        cluster: &Cluster,
        redis: &RedisServer,
        folder: &Path,
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
        if statements {
            // Only what follows is counted.
            sqlx::query(AssertSqlSafe(format!("CREATE EXTENSION {STATISTICS}"))).execute(&pool).await?;
            sqlx::query("SELECT pg_stat_statements_reset()").execute(&pool).await?;
        }
        let sink = Sink::start().await?;
        let link_keys = Keys::write_local(1, &random_bytes::<32>()?);
        let environment = [
            ("DATABASE_URL", url),
            ("REDIS_URL", redis.url()),
            ("SMTP_URL", sink.url()),
            ("PUNCTUAL_LINK_KEYS", link_keys.clone()),
            ("PUNCTUAL_WEBHOOK_NETWORKS", "127.0.0.0/8".to_owned()),
        ]
        .into();
        let prefix = punctual_queue::redis_prefix(&mut *pool.acquire().await?).await?;
        let wake = Wake::connect_with(Some(&redis.url()), &prefix)?;
        Ok(Self { program, statements, folder: folder.to_owned(), environment, link_keys, pool, wake, sink })
    }

    /// Starts the worker. It is killed with the value.
    pub(super) fn worker(&self) -> Result<Child> {
        self.start(&[("PUNCTUAL_WORKER_METRICS_LISTEN", format!("127.0.0.1:{}", ports::free_port()))])
    }

    /// Has the mail server tested at once, as an operator would.
    pub(super) async fn probe_relay(&self) -> Result<()> {
        let status = self.command(&[])?.args(["relay", "probe"]).status().await?;
        ensure!(status.success(), "the program could not have the mail server tested");
        Ok(())
    }

    /// Starts an api without request limits and waits until it is ready. It is killed with the value.
    pub(super) async fn api(&self) -> Result<Api> {
        let address = format!("127.0.0.1:{}", ports::free_port());
        let child = self.start(&[
            ("PUNCTUAL_API_LISTEN", address.clone()),
            ("PUNCTUAL_API_METRICS_LISTEN", format!("127.0.0.1:{}", ports::free_port())),
            ("PUNCTUAL_PUBLIC_URL", format!("http://{address}")),
            ("PUNCTUAL_JWT_KEYS", self.link_keys.clone()),
            ("PUNCTUAL_LIMITS", "off".to_owned()),
        ])?;
        let deadline = Instant::now() + START_TIMEOUT;
        let ready = format!("http://{address}/readyz");
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            ensure!(Instant::now() < deadline, "the api is not ready after {} s", START_TIMEOUT.as_secs());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Api { _child: child, address })
    }

    fn start(&self, environment: &[(&str, String)]) -> Result<Child> {
        self.command(environment)?.spawn().context("the program does not start")
    }

    fn command(&self, environment: &[(&str, String)]) -> Result<Command> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("program.log"))?;
        let mut command = Command::new(&self.program);
        command
            .envs(&self.environment)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(log)
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        Ok(command)
    }

    /// With `--statements`, prints those that took the longest since the last call.
    pub(super) async fn print_statements(&self, part: &str) -> Result<()> {
        if !self.statements {
            return Ok(());
        }
        let rows: Vec<(String, i64, i64, f64, f64)> = sqlx::query_as(
            "SELECT regexp_replace(left(query, 400), '\\s+', ' ', 'g'), calls, rows, total_plan_time, total_exec_time
             FROM pg_stat_statements ORDER BY total_plan_time + total_exec_time DESC LIMIT $1",
        )
        .bind(STATEMENTS)
        .fetch_all(&self.pool)
        .await?;
        console::line(&format!(
            "\n| {part}: statement | calls | rows | planned, ms | run, ms |\n| --- | ---: | ---: | ---: | ---: |"
        ));
        for (query, calls, rows, planned, run) in rows {
            let query: String = query.chars().take(100).collect();
            console::line(&format!("| {query} | {calls} | {rows} | {planned:.0} | {run:.0} |"));
        }
        sqlx::query("SELECT pg_stat_statements_reset()").execute(&self.pool).await?;
        Ok(())
    }

    /// Removes all bookings and stores this many bookings, each with a due confirmation that has no job yet.
    pub(super) async fn store_due_mails(&self, count: usize) -> Result<()> {
        sqlx::raw_sql("TRUNCATE bookings, customers, notifications CASCADE").execute(&self.pool).await?;
        if count > 0 {
            let statement = fs::read_to_string(clone_root().join("bench/mails.sql"))?;
            sqlx::query(AssertSqlSafe(statement)).bind(i64::try_from(count)?).execute(&self.pool).await?;
        }
        Ok(())
    }
}

/// The value below which this share (in percent) of the sorted values lies.
pub(super) fn percentile(sorted: &[f64], share: usize) -> f64 {
    sorted.get((sorted.len() * share / 100).min(sorted.len() - 1)).copied().unwrap_or_default()
}

/// How many a second.
#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
pub(super) fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
