//! `cargo dev bench`: measurements, each a command of its own (docs/benchmarks.md).

mod growth;
mod machine;
mod mails;
mod pages;
mod peers;
mod programs;
mod queue;
mod sink;
mod slots;
mod storm;
mod wire;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use punctual_dev::console;

use punctual_dev::command::interrupts::Interrupts;

/// Measures, and prints a table.
#[derive(Parser)]
#[command(name = "cargo dev bench", bin_name = "cargo dev bench", disable_help_subcommand = true)]
enum What {
    /// The api beside other booking servers, by a driver that measures them all alike
    Peers(peers::Options),
    /// What a read and a booking cost the database as the business grows
    Growth(growth::Options),
    /// The worker: mails a second, and how soon after the commit
    Mails(mails::Options),
    /// Pages of `/book` a second
    Pages(pages::Options),
    /// The queue and its peers from crates.io
    Queue(queue::Options),
    /// The list of slots of 20 members of staff over 31 days, with a million bookings in the table
    Slots(slots::Options),
    /// Slot reads in calm and in a login storm
    Storm(storm::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    run(What::parse()).await.unwrap_or_else(|error| {
        console::problem(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// An interrupted benchmark leaves nothing of ours running; the peers' Postgres is not ours to stop.
async fn run(what: What) -> Result<ExitCode> {
    let mut interrupts = Interrupts::new()?;
    tokio::select! {
        result = measure(what) => result,
        // Servers and programs end when what started them is dropped.
        () = interrupts.next() => Ok(ExitCode::FAILURE),
    }
}

async fn measure(what: What) -> Result<ExitCode> {
    match what {
        What::Peers(options) => peers::run(options).await,
        What::Growth(options) => growth::run(options).await,
        What::Mails(options) => mails::run(options).await,
        What::Pages(options) => pages::run(options).await,
        What::Queue(options) => queue::run(options).await,
        What::Slots(options) => slots::run(options).await,
        What::Storm(options) => storm::run(options).await,
    }
}
