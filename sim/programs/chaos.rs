//! The program of `cargo dev chaos`.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use punctual_sim::chaos::{Chaos, Fault, Report, roll};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Inject faults under load and check all data after each.
#[derive(Parser)]
#[command(name = "cargo dev chaos", bin_name = "cargo dev chaos")]
struct Cli {
    /// Duration in minutes
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Seed of the order of faults and of the customers' requests [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// Only faults whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Rolling restarts of two apis and four workers instead of faults [default: 3]
    #[arg(long, num_args = 0..=1, default_missing_value = "3", conflicts_with_all = ["minutes", "seed", "only"])]
    rolling: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { minutes, seed, only, rolling } = Cli::parse();
    let result = match rolling {
        Some(times) => restart(times).await,
        None => break_things(minutes, seed.unwrap_or_else(rand::random), &only).await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn break_things(minutes: u64, seed: u64, only: &str) -> Result<bool, Error> {
    let faults: Vec<Fault> =
        Fault::all().into_iter().filter(|fault| fault.to_string().contains(only)).collect();
    if faults.is_empty() {
        return Err(format!("no fault's name contains {only:?}").into());
    }
    println!("{minutes} minutes of chaos with --seed {seed}");
    let mut chaos =
        Chaos::begin(seed).await?.ok_or("there is no Postgres or no Redis that can be stopped")?;
    let (mut report, began) = (Report::default(), Instant::now());
    let shows = std::io::stderr().is_terminal();
    let progress = |report: &Report, next: Fault| {
        let passed = began.elapsed().as_secs();
        let line = format!("{:02}:{:02}  {}; now: {next}", passed / 60, passed % 60, report.so_far());
        if shows {
            eprint!("\r\x1b[K{line}");
        } else {
            eprintln!("{line}");
        }
    };
    let survived = chaos.run_for(Duration::from_mins(minutes), &faults, &mut report, progress).await;
    if shows {
        eprintln!();
    }
    println!("{report}");
    let Err(violation) = survived else {
        println!("0 violations. Seed {seed}.");
        return Ok(true);
    };
    println!("VIOLATION after {} faults, under: {}", report.faults(), violation.fault);
    violation.differences.iter().for_each(|difference| println!("- {difference}"));
    println!("\nWhat the programs warned of last:\n{}", violation.logs);
    let only = if only.is_empty() { String::new() } else { format!(" --only {only:?}") };
    println!("\nAgain: cargo dev chaos --minutes {minutes} --seed {seed}{only}");
    Ok(false)
}

async fn restart(times: u64) -> Result<bool, Error> {
    println!("{times} rolling restarts of two apis and four workers under load");
    println!(
        "| # | s | requests | failed | mails | lost | doubled |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    let rounds = roll(times, |round, rolled| {
        let (took, doubled) = (rolled.took.as_secs(), rolled.doubled);
        println!(
            "| {round} | {took} | {} | {} | {} | 0 | {doubled} |",
            rolled.requests, rolled.failed, rolled.mails
        );
    });
    Ok(rounds.await?.iter().all(|rolled| rolled.failed == 0 && rolled.doubled == 0))
}
