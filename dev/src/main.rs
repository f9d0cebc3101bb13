//! `cargo dev`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use punctual_dev::command::elsewhere;
use punctual_dev::{command, console, demo};
use punctual_launch::prepare;

/// Run Punctual on this machine: Postgres, Redis, an inbox, the API and its workers.
///
/// If `DATABASE_URL`, `REDIS_URL` or `SMTP_URL` is set, that server is used instead.
#[derive(Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: command::up::Options,
}

#[derive(Subcommand)]
enum Command {
    /// Play a story on a stack of its own: register, book, get mails, cancel
    Demo(demo::Options),
    /// Print the running stack's addresses for a shell: eval "$(cargo dev env)"
    Env,
    /// Render all mails as pictures
    Pictures(elsewhere::Arguments),
    /// Delete the data of the local stack
    Reset,
    /// Write the generated files (.sqlx, openapi/openapi.json); --check compares them
    #[command(name = "prepare")]
    Prepare,
    /// Run benchmarks (docs/benchmarks.md)
    Bench(elsewhere::Arguments),
    /// Inject faults under load and check all data after each (docs/faults.md)
    Chaos(elsewhere::Arguments),
    /// Simulate a month of bookings and check all data (docs/faults.md#a-simulated-month)
    Month(elsewhere::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        None => command::up::run(arguments.up).await,
        Some(Command::Demo(options)) => demo::run(options).await,
        Some(Command::Env) => command::env::run(),
        Some(Command::Pictures(arguments)) => elsewhere::run(elsewhere::PICTURES, arguments),
        Some(Command::Prepare) => prepare::run(&[]),
        Some(Command::Reset) => command::reset::run().await,
        Some(Command::Bench(arguments)) => elsewhere::run(elsewhere::BENCH, arguments),
        Some(Command::Chaos(arguments)) => elsewhere::run(elsewhere::CHAOS, arguments),
        Some(Command::Month(arguments)) => elsewhere::run(elsewhere::MONTH, arguments),
    };
    result.unwrap_or_else(|error| {
        console::problem(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
