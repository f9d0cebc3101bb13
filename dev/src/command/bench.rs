//! `cargo dev bench`; and of it `queue`: the queue and its peers on a Postgres of their own.

use std::env;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use punctual_launch::programs::{self, clone_root};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::process::Command;
use tokio::signal;

use crate::servers::{
    Account, Cluster, ClusterSettings, Consent, Needs, PostgresPrograms, RedisServer, install_commands,
    ports, provide,
};
use crate::{console, storm};

/// Exit status where a server is missing and may not be installed.
const STATUS_MISSING: u8 = 2;
/// Enough for the peer that wants most.
const MAX_CONNECTIONS: u32 = 200;
/// What is set on any Postgres that has work to do. Nothing makes it less durable than a fresh installation.
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "15min"),
    ("maintenance_work_mem", "256MB"),
];

/// What to measure.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum What {
    /// The queue and its peers from crates.io (docs/benchmarks.md)
    Queue {
        /// A tenth of the jobs: to see that it works, not for figures
        #[arg(long)]
        quick: bool,
        /// Only these contenders, separated by commas
        #[arg(long)]
        only: Option<String>,
    },
    /// Slot reads in calm and in a login storm (docs/benchmarks.md)
    Storm(storm::Options),
}

/// Starts the servers, builds and runs the benchmark, and removes the servers again.
///
/// # Errors
/// When a server does not start.
pub async fn run(what: What) -> Result<ExitCode> {
    match what {
        What::Queue { quick, only } => queue(quick, only).await,
        What::Storm(options) => storm::run(options).await,
    }
}

async fn queue(quick: bool, only: Option<String>) -> Result<ExitCode> {
    let needs = Needs { postgres: true, redis: true };
    let found = provide(needs, Consent::Ask, &console::step);
    let (Some(postgres), Some(redis)) = (found.postgres, found.redis) else {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(ExitCode::from(STATUS_MISSING));
    };
    let manifest = clone_root().join("bench/queue/Cargo.toml");
    console::step("building the benchmark");
    let mut build = cargo("build", &manifest);
    anyhow::ensure!(build.status().await?.success(), "the benchmark does not build");

    // Not below the temporary folder where that may be in memory: a commit has to reach a disk.
    let parent = Some(Path::new("/var/tmp")).filter(|folder| folder.is_dir());
    let parent = parent.map_or_else(env::temp_dir, Path::to_owned);
    let folder = tempfile::Builder::new().prefix("punctual-bench-").tempdir_in(parent)?;
    if let Some(account) = Account::for_postgres()? {
        account.own(folder.path())?;
    }
    let cluster = start_postgres(&postgres, folder.path()).await?;
    let redis = RedisServer::start(&redis, &folder.path().join("redis"), ports::free_port());
    let result = match &redis {
        Ok(redis) => measure(&manifest, &cluster, redis, quick, only).await,
        Err(error) => Err(anyhow::anyhow!("{error:#}")),
    };
    if let Ok(redis) = redis {
        redis.stop()?;
    }
    cluster.stop()?;
    Ok(if result?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo(command: &str, manifest: &Path) -> Command {
    let mut cargo = Command::new(programs::cargo());
    cargo.args([command, "--release", "--quiet", "--manifest-path"]).arg(manifest);
    cargo
}

/// Runs it to its end; Ctrl-C reaches the whole group, so all that is left to us is to wait.
async fn measure(
    manifest: &Path,
    cluster: &Cluster,
    redis: &RedisServer,
    quick: bool,
    only: Option<String>,
) -> Result<ExitStatus> {
    let mut command = cargo("run", manifest);
    command.args(["--", "run"]).args(quick.then_some("--quick"));
    command.args(only.map(|only| format!("--only={only}")));
    command.env("DATABASE_URL", cluster.url("postgres")).env("REDIS_URL", redis.url());
    let mut child = command.kill_on_drop(true).spawn().context("cannot run the benchmark")?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            pressed = signal::ctrl_c() => pressed?,
        }
    }
}

/// A durable cluster; its settings hold from the second start on.
async fn start_postgres(installation: &PostgresPrograms, folder: &Path) -> Result<Cluster> {
    let settings = ClusterSettings {
        folder: folder.join("postgres"),
        port: ports::free_port(),
        disposable: false,
        max_connections: MAX_CONNECTIONS,
    };
    let cluster = Cluster::start(installation, &settings)?;
    let mut conn = PgConnection::connect(&cluster.url("postgres")).await?;
    for (name, value) in SETTINGS {
        conn.execute(AssertSqlSafe(format!("ALTER SYSTEM SET {name} = '{value}'"))).await?;
    }
    conn.close().await?;
    cluster.stop()?;
    Cluster::start(installation, &settings)
}
