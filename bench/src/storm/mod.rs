//! `cargo dev bench storm`: slot reads during a login storm.

pub(crate) mod load;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use load::Latencies;
use punctual_dev::console;
use punctual_dev::stack::Stack;

use crate::programs;

const PASSWORD: &str = "correct horse battery staple";
/// Reading connections.
const READERS: usize = 50;
/// Reads before the measurement.
const WARM_UP: Duration = Duration::from_secs(2);

/// Parameters of the load.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Duration of each part (calm, storm) in seconds
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Slot reads per second
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Clients that log in continuously, each to its own account
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Check that it works with debug builds; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Measure now: what the command starts in the programs it has built.
    #[arg(long, hide = true)]
    here: bool,
}

/// Builds the programs for release, measures, and prints a table.
///
/// # Errors
/// When something does not build or start, or a read fails.
pub async fn run(options: Options) -> Result<ExitCode> {
    if options.here {
        return programs::with_stack(async |stack| blow(stack, &options).await).await;
    }
    let [seconds, rate, clients] =
        [options.seconds.to_string(), options.rate.to_string(), options.clients.to_string()];
    let arguments = ["storm", "--here", "--seconds", &seconds, "--rate", &rate, "--clients", &clients];
    programs::become_release(options.quick, &arguments).await
}

async fn blow(stack: &mut Stack, options: &Options) -> Result<()> {
    stack.start().await?;
    let base = stack.addresses().api.clone();
    let address = base.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let accounts = register(&base, options.clients).await?;
    let paths = slot_paths(&base).await?;
    let read = |seconds| load::read(&address, &paths, options.rate, READERS, seconds);
    read(WARM_UP).await?;

    let length = Duration::from_secs(options.seconds);
    console::step(&format!("{} reads a second for {} s, in calm", options.rate, options.seconds));
    let calm = read(length).await?;
    console::step(&format!("the same with {} clients that log in", options.clients));
    let stop = CancellationToken::new();
    let storm = tokio::spawn(load::log_in(address.clone(), accounts, stop.clone()));
    // Wait until the queue of logins is full.
    sleep(Duration::from_millis(500)).await;
    let stormy = read(length).await;
    stop.cancel();
    let logins = storm.await??;
    report(&calm, &stormy?, &logins);
    Ok(())
}

/// Registers accounts; returns the body of each login.
async fn register(base: &str, count: usize) -> Result<Vec<String>> {
    let http = reqwest::Client::new();
    let mut logins = Vec::with_capacity(count);
    for number in 0..count {
        let email = format!("storm-{number}@example.org");
        let body = json!({ "email": email, "password": PASSWORD, "name": "Storm" });
        let answer = http.post(format!("{base}/v1/auth/register")).json(&body).send().await?;
        anyhow::ensure!(answer.status() == 201, "an account is refused: {}", answer.status());
        logins.push(json!({ "email": email, "password": PASSWORD }).to_string());
    }
    Ok(logins)
}

/// A week of slots of each service.
pub(crate) async fn slot_paths(base: &str) -> Result<Vec<String>> {
    let answer = reqwest::get(format!("{base}/v1/services")).await?;
    let today = answer.headers().get("date").and_then(|date| date.to_str().ok()).context("no Date")?;
    let from = DateTime::parse_from_rfc2822(today)?.date_naive() + TimeDelta::days(1);
    let services: Value = answer.json().await?;
    let to = from + TimeDelta::days(6);
    let services = services["data"].as_array().context("there are no services")?;
    let ids = services.iter().filter_map(|service| service["id"].as_str());
    Ok(ids.map(|id| format!("/v1/slots?service_id={id}&from={from}&to={to}")).collect())
}

fn report(calm: &Latencies, storm: &Latencies, logins: &load::Logins) {
    let row = |name: &str, latencies: &Latencies| {
        let ms = |share| latencies.ms(share);
        console::line(&format!(
            "| {name} | {} | {:.2} | {:.2} | {:.2} |",
            latencies.len(),
            ms(0.5),
            ms(0.99),
            ms(1.0)
        ));
    };
    console::line(
        "\n| slot reads | answered | p50, ms | p99, ms | longest, ms |\n| --- | --- | --- | --- | --- |",
    );
    row("in calm", calm);
    row("in the storm", storm);
    let ratio = storm.quantile(0.99).as_secs_f64() / calm.quantile(0.99).as_secs_f64();
    let per_second = f64::from(logins.done.len()) / logins.took.as_secs_f64();
    console::line(&format!(
        "\np99 in the storm to p99 in calm: {ratio:.2}. Logins: {per_second:.0} a second, p50 {:.0} ms, p99 {:.0} ms; {} \
         were told to come back.",
        logins.done.ms(0.5),
        logins.done.ms(0.99),
        logins.refused,
    ));
}
