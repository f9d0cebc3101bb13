//! Commands implemented by other crates' programs: built by cargo with the workspace's features, then run in place of
//! this process, so that signals reach them.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use punctual_launch::programs;

use crate::console;

/// A command of `cargo dev` that another program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The binary that runs the command.
    program: &'static str,
    /// Other binaries that it needs.
    needs: &'static [&'static str],
}

/// The benchmarks.
pub const BENCH: Elsewhere =
    Elsewhere { program: "punctual-bench", needs: &["punctual-api", "punctual-worker"] };
/// Faults under load.
pub const CHAOS: Elsewhere = Elsewhere { program: "punctual-chaos", needs: SIMULATED };
/// A simulated month.
pub const MONTH: Elsewhere = Elsewhere { program: "punctual-month", needs: SIMULATED };
/// Pictures of all mails.
pub const PICTURES: Elsewhere = Elsewhere { program: "punctual-pictures", needs: &[] };

const SIMULATED: &[&str] = &["tests-guard", "tests-api", "tests-worker", "tests-chaos-worker"];

/// Arguments for the other program.
#[derive(Clone, Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// See --help of the command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

/// Builds and execs it.
///
/// # Errors
///
/// When it does not build or cannot be started.
pub fn run(command: Elsewhere, Arguments { arguments }: Arguments) -> Result<ExitCode> {
    console::step(&format!("building {}", command.program));
    let program = programs::build(command.program, command.needs)?;
    Err(Command::new(program).args(arguments).exec())
        .with_context(|| format!("cannot start {}", command.program))
}
