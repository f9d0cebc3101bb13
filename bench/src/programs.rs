//! Programs built for release, and a stack of its own to measure in.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result};
use punctual_dev::console;
use punctual_dev::home::Home;
use punctual_dev::stack::{Lock, Ports, Settings, Stack};
use punctual_launch::programs::{cargo, clone_root};
use punctual_launch::servers::{Consent, Needs, install_commands, provide};
use tokio::process::Command;

/// Exit status where a server is missing and may not be installed.
const STATUS_MISSING: u8 = 2;

/// Builds the programs for release and becomes their benchmark with these arguments; `quick`: stays as it is built.
/// Production settings except for the request limits, which would end the measurement.
///
/// # Errors
/// When something does not build or start; otherwise it does not return.
pub async fn become_release(quick: bool, arguments: &[&str]) -> Result<ExitCode> {
    let program = if quick {
        env::current_exe()?
    } else {
        console::step("building the programs for release");
        let mut build = Command::new(cargo());
        build.args(["build", "--release", "--quiet", "--workspace"]);
        build.args(["--bin", "punctual-bench", "--bin", "punctual-api", "--bin", "punctual-worker"]);
        anyhow::ensure!(build.current_dir(clone_root()).status().await?.success(), "they do not build");
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| clone_root().join("target"), Into::into);
        target.join("release/punctual-bench")
    };
    // Replaces this process, so that signals reach the measuring one.
    let mut command = std::process::Command::new(program);
    command.args(arguments).env("PUNCTUAL_LIMITS", "off").stdin(Stdio::null());
    Err(command.exec()).context("the measurement cannot be started")
}

/// A home that is removed with the measurement, even if it is interrupted.
struct TemporaryHome(Home);

impl Drop for TemporaryHome {
    fn drop(&mut self) {
        if let Err(error) = self.0.remove() {
            console::problem(&format!("what was measured in is left behind: {error:#}"));
        }
    }
}

/// Measures in a stack of its own, without workers, that is removed afterwards.
///
/// # Errors
/// Those of the stack and of `measure`.
pub async fn with_stack(measure: impl AsyncFnOnce(&mut Stack) -> Result<()>) -> Result<ExitCode> {
    let needs = Needs { postgres: true, redis: true };
    let programs = provide(needs, Consent::Ask, &console::step);
    if programs.postgres.is_none() {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(ExitCode::from(STATUS_MISSING));
    }
    let home = TemporaryHome(Home::of_demo()?);
    let _lock = Lock::take(&home.0)?;
    let mut stack = Stack::new(Settings {
        home: home.0.clone(),
        ports: Ports::any(),
        workers: 0,
        database_url: None,
        redis_url: None,
        smtp_url: None,
        disposable: true,
        programs,
    });
    let result = measure(&mut stack).await;
    stack.stop().await?;
    result?;
    Ok(ExitCode::SUCCESS)
}
