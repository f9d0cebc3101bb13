//! The queue and its peers from crates.io doing the same work on the same Postgres: see docs/benchmarks.md.
//!
//! `run` measures and prints a table; each measurement starts this program with `work` as its worker process.

mod contenders;
mod database;
mod machine;
mod measure;
mod recorder;
mod report;
mod time;
mod worker_process;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};

use contenders::{Contender, WakeUp, Which, for_contender};
use measure::{Part, Sizes};
use recorder::{Recorder, Watch};

#[derive(Parser)]
#[command(about = "The queue and its peers, measured on one Postgres")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure and print a Markdown table
    Run(Run),
    /// Run no-op jobs until standard input closes; started by `run`
    Work(Work),
}

#[derive(Args)]
struct Run {
    /// Postgres on which databases may be created and dropped
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
    /// Redis for the queue's wake-ups
    #[arg(long, env = "REDIS_URL")]
    redis_url: String,
    /// Check that it works with a tenth of the jobs; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Only these contenders, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Which>,
    /// What to measure, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["speed", "faults", "pressure"])]
    parts: Vec<Part>,
}

#[derive(Args)]
struct Work {
    #[arg(value_enum)]
    contender: Which,
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    redis_url: Option<String>,
    /// Find jobs by polling only
    #[arg(long)]
    polling: bool,
    #[arg(long, value_enum)]
    watch: Watch,
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match Cli::parse().command {
        Command::Run(run) => Box::pin(measure_all(run)).await,
        Command::Work(work) => {
            let recorder = Recorder::start(work.watch);
            let wake_up = if work.polling { WakeUp::Polling } else { WakeUp::Notified };
            let (url, redis) = (work.database_url, work.redis_url);
            for_contender!(work.contender, C => {
                Box::pin(C::work(&url, redis.as_deref(), wake_up, recorder)).await
            })
        }
    }
}

async fn measure_all(run: Run) -> Result<()> {
    let sizes = if run.quick { Sizes::QUICK } else { Sizes::FULL };
    let server = database::Server::connect(&run.database_url).await?;
    let machine = machine::describe(&server).await?;
    let mut results = Vec::new();
    for which in Which::all().filter(|which| run.only.is_empty() || run.only.contains(which)) {
        let site = measure::Site { server: &server, redis: &run.redis_url, which, sizes };
        let result = for_contender!(which, C => Box::pin(site.measure::<C>(&run.parts)).await);
        results.push(result.with_context(|| format!("{} can't be measured", which.name()))?);
    }
    println!("{}", report::render(&machine, &sizes, &results));
    Ok(())
}
