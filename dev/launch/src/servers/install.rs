//! Installing Postgres and Redis from the system's packages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::find::{PostgresPrograms, find_postgres, find_redis};

const SCRIPT: &str = include_str!("install.sh");

/// What an installation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Install as root or through sudo, which may ask for a password.
    Ask,
    /// Install as root or through sudo only where that needs no password.
    Silent,
    /// Install nothing.
    Never,
}

/// The programs that were found or installed.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Postgres, `None` when it is missing and could not be installed.
    pub postgres: Option<PostgresPrograms>,
    /// Redis or Valkey, `None` when it is missing and could not be installed.
    pub redis: Option<PathBuf>,
}

/// What is needed.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// A Postgres server.
    pub postgres: bool,
    /// A Redis server.
    pub redis: bool,
}

/// Finds the programs and installs missing ones, reporting through `say`.
///
/// What is still missing is `None` in the result; the reason was reported.
pub fn provide(needs: Needs, consent: Consent, say: &dyn Fn(&str)) -> Programs {
    let found = Programs { postgres: find_postgres(), redis: find_redis() };
    let packages = missing_packages(needs, &found);
    let Some(mut command) = (if packages.is_empty() { None } else { installer(consent) }) else {
        return found;
    };
    say(&format!("installing {} with apt-get (its services stay off)", packages.join(" and ")));
    if let Err(error) = run_installer(&mut command, &packages) {
        say(&format!("{error:#}"));
    }
    Programs { postgres: find_postgres(), redis: find_redis() }
}

/// The commands with which a person installs what is needed, where this program must not or cannot.
#[must_use]
pub fn install_commands(needs: Needs) -> String {
    let found = Programs { postgres: find_postgres(), redis: find_redis() };
    let packages = missing_packages(needs, &found);
    if cfg!(target_os = "macos") {
        let formulas: Vec<&str> = packages
            .iter()
            .map(|name| if *name == "postgresql" { "postgresql@17" } else { "redis" })
            .collect();
        return format!("brew install {}", formulas.join(" "));
    }
    let sudo = if rustix::process::geteuid().is_root() { "" } else { "sudo " };
    format!("{sudo}apt-get update\n{sudo}apt-get install --no-install-recommends {}", packages.join(" "))
}

fn missing_packages(needs: Needs, found: &Programs) -> Vec<&'static str> {
    let mut packages = Vec::new();
    if needs.postgres && found.postgres.is_none() {
        packages.push("postgresql");
    }
    if needs.redis && found.redis.is_none() {
        packages.push("redis-server");
    }
    packages
}

/// The shell that runs the script with the required rights, `None` if there is none.
fn installer(consent: Consent) -> Option<Command> {
    let is_debian = Path::new("/usr/bin/apt-get").is_file();
    if !is_debian || consent == Consent::Never {
        return None;
    }
    if rustix::process::geteuid().is_root() {
        return Some(Command::new("sh"));
    }
    let silent = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
    let allowed = silent.is_ok_and(|status| status.success());
    let mut sudo = Command::new("sudo");
    match consent {
        _ if allowed => sudo.arg("-n"),
        Consent::Ask if Path::new("/usr/bin/sudo").is_file() => &mut sudo,
        Consent::Ask | Consent::Silent | Consent::Never => return None,
    };
    sudo.arg("sh");
    Some(sudo)
}

fn run_installer(command: &mut Command, packages: &[&str]) -> Result<()> {
    // apt's output goes to standard error like our own messages, never into our output.
    let status = command
        .args(["-c", SCRIPT, "install"])
        .args(packages)
        .stdin(Stdio::inherit())
        .stdout(std::io::stderr())
        .status()
        .context("cannot run the installer")?;
    anyhow::ensure!(status.success(), "installing {} failed ({status})", packages.join(" and "));
    Ok(())
}
