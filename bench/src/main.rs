//! `cargo dev bench`: measurements, each a command of its own (docs/benchmarks.md).

mod crowds;
mod desk;
mod growth;
mod hook_receiver;
mod machine;
mod mails;
mod pages;
mod peers;
mod programs;
mod queue;
mod setup;
mod sink;
mod slots;
mod storm;
mod webhooks;
mod wire;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use punctual_dev::console;

use punctual_dev::command::interrupts::Interrupts;

/// Run a benchmark and print a table.
#[derive(Parser)]
#[command(name = "cargo dev bench", bin_name = "cargo dev bench", disable_help_subcommand = true)]
enum Benchmark {
    /// The api against other booking servers
    Peers(peers::Options),
    /// Guests who book at once: several api processes, one member of staff, a sale's opening
    Crowds(crowds::Options),
    /// Database time of a slot list and a booking, by size of the business
    Growth(growth::Options),
    /// The worker: mails per second, time from commit to DATA, memory
    Mails(mails::Options),
    /// Time of pages of `/desk`: 50 members of staff, a full week
    Desk(desk::Options),
    /// Pages of `/book` per second
    Pages(pages::Options),
    /// The queue against crates from crates.io
    Queue(queue::Options),
    /// Queries of a slot list: 20 members of staff, 31 days, a million bookings
    Slots(slots::Options),
    /// Slot reads, calm and during a login storm
    Storm(storm::Options),
    /// Webhooks a second, and their delay at good endpoints beside ones that never answer
    Webhooks(webhooks::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    run(Benchmark::parse()).await.unwrap_or_else(|error| {
        console::problem(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// An interrupted benchmark stops what it started; the peers' Postgres keeps running.
async fn run(what: Benchmark) -> Result<ExitCode> {
    let mut interrupts = Interrupts::new()?;
    tokio::select! {
        result = measure(what) => result,
        // Servers and programs end when what started them is dropped.
        () = interrupts.next() => Ok(ExitCode::FAILURE),
    }
}

async fn measure(what: Benchmark) -> Result<ExitCode> {
    match what {
        Benchmark::Peers(options) => peers::run(options).await,
        Benchmark::Crowds(options) => crowds::run(options).await,
        Benchmark::Growth(options) => growth::run(options).await,
        Benchmark::Mails(options) => mails::run(options).await,
        Benchmark::Desk(options) => desk::run(options).await,
        Benchmark::Pages(options) => pages::run(options).await,
        Benchmark::Queue(options) => queue::run(options).await,
        Benchmark::Slots(options) => slots::run(options).await,
        Benchmark::Storm(options) => storm::run(options).await,
        Benchmark::Webhooks(options) => webhooks::run(options).await,
    }
}
