//! `cargo dev`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use punctual_dev::command::elsewhere;
use punctual_dev::{command, console, demo};
use punctual_launch::prepare;

/// The whole of Punctual on this machine: Postgres, Redis, an inbox, the API and its workers.
///
/// Existing servers are used instead of own ones where `DATABASE_URL`, `REDIS_URL` or `SMTP_URL` are set.
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
    /// Play the whole story on a stack of its own: sign up, book, get mails, cancel
    Demo(demo::Options),
    /// Print the addresses of what runs: eval "$(cargo dev env)"
    Env,
    /// Take pictures of all mails as they look on a phone
    Pictures(elsewhere::Arguments),
    /// Drop the data of the local stack
    Reset,
    /// Make the generated files anew (.sqlx, openapi/openapi.json), or check them with --check
    #[command(name = "prepare")]
    Prepare,
    /// Measure: the api and the queue beside their peers, mails, lists of slots, logins (docs/benchmarks.md)
    Bench(elsewhere::Arguments),
    /// Break things under load, and compare everything after each (docs/faults.md)
    Chaos(elsewhere::Arguments),
    /// Play a month of bookings by a simulated clock, and compare everything at its end (docs/month.md)
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
