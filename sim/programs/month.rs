//! `cargo dev month [--seed S] [--customers N] [--days D]`: a simulated month through the HTTP API, checked at the end.

use std::process::ExitCode;

use punctual_sim::month::{Plan, play};

const USAGE: &str = "usage: cargo dev month [--seed S] [--customers N] [--days D]";

#[tokio::main]
async fn main() -> ExitCode {
    let Some(plan) = plan(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let month = match play(plan, |line| println!("{line}")).await {
        Ok(month) => month,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    month.tally.iter().for_each(|(what, count)| println!("{count:>6}  {what}"));
    month.reports.iter().for_each(|report| println!("{report}"));
    month.surprises.iter().for_each(|surprise| println!("surprise: {surprise}"));
    if month.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(mut args: impl Iterator<Item = String>) -> Option<Plan> {
    let mut plan = Plan { seed: 1, customers: 1000, days: 30 };
    while let Some(name) = args.next() {
        let value = args.next()?;
        match name.as_str() {
            "--seed" => plan.seed = value.parse().ok()?,
            "--customers" => plan.customers = value.parse().ok().filter(|count| *count > 0)?,
            "--days" => plan.days = value.parse().ok().filter(|days| *days > 0)?,
            _ => return None,
        }
    }
    Some(plan)
}
