//! The servers that a benchmark runs on.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command as Blocking;

use anyhow::{Context as _, Result, ensure};
use punctual_launch::programs::{cargo, clone_root};
use tempfile::TempDir;
use tokio::process::Command;

use crate::console;
use crate::servers::{Account, Cluster, ClusterSettings, PostgresPrograms, ports};

/// Exit status where a server is missing and may not be installed.
pub(super) const STATUS_MISSING: u8 = 2;
/// Enough for whoever wants most.
const MAX_CONNECTIONS: u32 = 200;

/// A folder that Postgres may write in. Not below the temporary folder where that may be in memory: a commit has to reach
/// a disk.
pub(super) fn folder_on_disk() -> Result<TempDir> {
    let parent = Some(Path::new("/var/tmp")).filter(|folder| folder.is_dir());
    let parent = parent.map_or_else(env::temp_dir, Path::to_owned);
    let folder = tempfile::Builder::new().prefix("punctual-bench-").tempdir_in(parent)?;
    if let Some(account) = Account::for_postgres()? {
        account.own(folder.path())?;
    }
    Ok(folder)
}

/// A durable cluster; its settings hold from the second start on.
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
    // By file: ALTER SYSTEM refuses the settings of a library that is not loaded yet.
    let mut file = fs::OpenOptions::new().append(true).open(settings.folder.join("data/postgresql.conf"))?;
    for (name, value) in changed {
        writeln!(file, "{name} = '{value}'")?;
    }
    Cluster::start(installation, &settings)
}

/// What the images' programs are linked with (see the Dockerfile): the C library, and relocations in a few bytes each.
const FLAGS: &str = "-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs";
/// Equal functions become one: an option of the linker that Rust brings along for x86-64.
const FOLD: &str = " -C link-arg=-Wl,--icf=all";

/// A program as the images have it: static, optimised as a whole.
pub(super) async fn build_shipped(package: &str) -> Result<PathBuf> {
    console::step(&format!(
        "building {package} as it is shipped (--profile dist): some ten minutes the first time"
    ));
    let said = String::from_utf8(Blocking::new("rustc").arg("-vV").output()?.stdout)?;
    let target = said.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let status = Command::new(cargo())
        .args(["build", "--profile", "dist", "--package", package, "--target", target])
        .env("RUSTFLAGS", FLAGS.to_owned() + if target.starts_with("x86_64-") { FOLD } else { "" })
        .current_dir(clone_root())
        .status()
        .await?;
    ensure!(status.success(), "{package} does not build");
    Ok(clone_root().join("target").join(target).join("dist").join(package))
}
