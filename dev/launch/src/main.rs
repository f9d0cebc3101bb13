//! `cargo dev`: builds the other programs and execs the right one. `cargo dev prepare` runs here, because the others
//! need its output to build.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use punctual_launch::{prepare, programs};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    run(&arguments).unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &[OsString]) -> Result<ExitCode> {
    if arguments.first().is_some_and(|command| command == "prepare") {
        return prepare::run(&arguments[1..]);
    }
    let program = programs::build("punctual-dev", &["punctual-api", "punctual-worker"])?;
    Err(Command::new(program).args(arguments).exec()).context("cannot start punctual-dev")
}
