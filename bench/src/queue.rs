//! `cargo dev bench queue`: the queue and its peers on their own Postgres.

use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use punctual_launch::programs::{self, clone_root};
use rustix::process::Signal;
use tokio::process::{Child, Command};

use punctual_dev::console;
use punctual_launch::servers::process::send;
use punctual_launch::servers::{Cluster, Consent, Needs, RedisServer, install_commands, ports, provide};

use super::machine::{STATUS_MISSING, folder_on_disk, start_postgres};

/// Usual settings of a loaded Postgres. None makes it less durable than a new installation.
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "15min"),
    ("maintenance_work_mem", "256MB"),
];

/// Parameters.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Check that it works with a tenth of the jobs; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Only these contenders, separated by commas [default: all]
    #[arg(long)]
    only: Option<String>,
    /// What to measure, separated by commas: speed, faults, pressure [default: all]
    #[arg(long)]
    parts: Option<String>,
}

/// Starts the servers, builds and runs the benchmark, and removes the servers again.
///
/// # Errors
/// When a server does not start.
pub async fn run(options: Options) -> Result<ExitCode> {
    let Options { quick, only, parts } = options;
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

    let folder = folder_on_disk()?;
    let cluster = start_postgres(&postgres, folder.path(), &SETTINGS)?;
    let redis = RedisServer::start(&redis, &folder.path().join("redis"), ports::free_port());
    let result = match &redis {
        Ok(redis) => measure(&manifest, &cluster, redis, quick, [("--only", only), ("--parts", parts)]).await,
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

/// Runs it, with the workers it starts, to its end.
async fn measure(
    manifest: &Path,
    cluster: &Cluster,
    redis: &RedisServer,
    quick: bool,
    choices: [(&str, Option<String>); 2],
) -> Result<ExitStatus> {
    let mut command = cargo("run", manifest);
    command.args(["--", "run"]).args(quick.then_some("--quick"));
    for (name, choice) in choices {
        command.args(choice.map(|choice| format!("{name}={choice}")));
    }
    command.env("DATABASE_URL", cluster.url("postgres")).env("REDIS_URL", redis.url());
    let mut group = Group(command.process_group(0).spawn().context("cannot run the benchmark")?);
    Ok(group.0.wait().await?)
}

/// A child and all that it starts.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0.id() {
            let _ = send(pid, Signal::KILL, true);
        }
    }
}
