//! Commands that are programs of other crates: built by cargo with the same features as everything else, then run in
//! place of this process, so that signals reach them.

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
    /// Binaries that it starts.
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

/// What the other program is told.
#[derive(Clone, Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// See --help of the command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

/// Builds and becomes it.
///
/// # Errors
/// When it does not build or can't be started.
pub fn run(command: Elsewhere, Arguments { arguments }: Arguments) -> Result<ExitCode> {
    console::step(&format!("building {}", command.program));
    let program = programs::build(command.program, command.needs)?;
    Err(Command::new(program).args(arguments).exec())
        .with_context(|| format!("cannot start {}", command.program))
}
