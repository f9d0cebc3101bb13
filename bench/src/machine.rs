//! The servers of a benchmark.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, ensure};
use punctual_launch::programs::clone_root;
use tempfile::TempDir;
use tokio::process::Command;

use punctual_dev::console;
use punctual_launch::servers::{Account, Cluster, ClusterSettings, PostgresPrograms, ports};

/// Exit status where a server is missing and may not be installed.
pub(super) const STATUS_MISSING: u8 = 2;
/// Enough for the benchmark with the most connections.
const MAX_CONNECTIONS: u32 = 200;

/// A folder for Postgres on a disk, because a commit must reach one; a temporary folder may be in memory.
pub(super) fn folder_on_disk() -> Result<TempDir> {
    let parent = Some(Path::new("/var/tmp")).filter(|folder| folder.is_dir());
    let parent = parent.map_or_else(env::temp_dir, Path::to_owned);
    let folder = tempfile::Builder::new().prefix("punctual-bench-").tempdir_in(parent)?;
    if let Some(account) = Account::for_postgres()? {
        account.own(folder.path())?;
    }
    Ok(folder)
}

/// Starts a durable cluster; its settings apply from the second start on.
pub(super) fn start_postgres(
    installation: &PostgresPrograms,
    folder: &Path,
    changed: &[(&str, &str)],
) -> Result<Cluster> {
    let settings = ClusterSettings {
        folder: folder.join("postgres"),
        port: ports::free_port(),
        disposable: false,
        max_connections: MAX_CONNECTIONS,
    };
    Cluster::start(installation, &settings)?.stop()?;
    // Written to the file: ALTER SYSTEM refuses settings of a library that is not loaded yet.
    let mut file = fs::OpenOptions::new().append(true).open(settings.folder.join("data/postgresql.conf"))?;
    for (name, value) in changed {
        writeln!(file, "{name} = '{value}'")?;
    }
    Cluster::start(installation, &settings)
}

/// A program as the images have it (see `deploy/build`).
pub(super) async fn build_shipped(program: &str) -> Result<PathBuf> {
    console::step(&format!(
        "building {program} as it is shipped (deploy/build): some ten minutes the first time"
    ));
    let child =
        Command::new(clone_root().join("deploy/build")).arg(program).stdout(Stdio::piped()).spawn()?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "{program} does not build");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
}
