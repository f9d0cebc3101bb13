//! `cargo dev chaos`: faults on real processes, done by a program of the test crate.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use punctual_launch::programs::{self, clone_root};
use tokio::process::Command;
use tokio::signal;

use crate::console;

/// The crate, and its program that does it.
const CRATE: &str = "punctual-tests";
const PROGRAM: &str = "tests-chaos";

/// How long and in which order.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How long
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Repeats a run: the order of the faults and what customers wish for
    #[arg(long)]
    seed: Option<u64>,
    /// Only faults whose name, as the report has it, contains this
    #[arg(long)]
    only: Option<String>,
    /// Instead: so many rolling restarts of two apis and four workers under load, 3 unless said
    #[arg(long, num_args = 0..=1, default_missing_value = "3", conflicts_with_all = ["minutes", "seed", "only"])]
    rolling: Option<u64>,
}

/// Builds and runs it. Its servers and programs are its own and end with it.
///
/// # Errors
/// When it can't be started.
pub async fn run(options: Options) -> Result<ExitCode> {
    console::step("building the programs");
    // All of them: what it starts stands beside it.
    let built = cargo().args(["build", "--quiet", "--package", CRATE, "--bins"]).status().await?;
    anyhow::ensure!(built.success(), "the programs do not build");
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", CRATE, "--bin", PROGRAM, "--"]);
    match options.rolling {
        Some(times) => command.args(["--rolling", &times.to_string()]),
        None => command.args(["--minutes", &options.minutes.to_string()]),
    };
    if let Some(seed) = options.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if let Some(only) = options.only {
        command.args(["--only", &only]);
    }
    let mut child = command.kill_on_drop(true).spawn().context("cannot run it")?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(if status?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
            // Reaches the whole group, so all that is left to us is to wait.
            pressed = signal::ctrl_c() => pressed?,
        }
    }
}

fn cargo() -> Command {
    let mut cargo = Command::new(programs::cargo());
    cargo.current_dir(clone_root());
    cargo
}
