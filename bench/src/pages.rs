//! `cargo dev bench pages`: how many pages of `/book` the api sends a second.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use punctual_dev::console;
use punctual_dev::stack::Stack;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::programs;
use crate::storm::{load::Latencies, slot_paths};
use crate::wire::{self, Wire};

/// Requests before the measurement.
const WARM_UP: Duration = Duration::from_secs(2);

/// Parameters of the load.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Duration for each page in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections; each sends its next request after the answer
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Check that it works with debug builds; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Measure now: what the command starts in the programs it has built.
    #[arg(long, hide = true)]
    here: bool,
}

/// Result of one page.
struct Measured {
    latencies: Latencies,
    took: Duration,
    bytes: usize,
}

/// Builds the programs for release, measures, and prints a table.
///
/// # Errors
/// When something does not build or start, or a page is refused.
pub async fn run(options: Options) -> Result<ExitCode> {
    if options.here {
        return programs::with_stack(async |stack| measure(stack, &options).await).await;
    }
    let [seconds, connections] = [options.seconds.to_string(), options.connections.to_string()];
    let arguments = ["pages", "--here", "--seconds", &seconds, "--connections", &connections];
    programs::become_release(options.quick, &arguments).await
}

async fn measure(stack: &mut Stack, options: &Options) -> Result<()> {
    stack.start().await?;
    let base = stack.addresses().api.clone();
    let address = base.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let slots = slot_paths(&base).await?.into_iter().next().context("there are no services")?;
    let (_, service) = slots.split_once("service_id=").context("no service")?;
    let service = service.split('&').next().unwrap_or_default();
    let pages = [
        ("services", "/book".to_owned()),
        ("free times of a week", format!("/book/{service}/anyone")),
        ("the same as JSON", slots.clone()),
    ];
    let connections = options.connections;
    console::line("\n| page | a second | p50, ms | p99, ms | bytes |\n| --- | ---: | ---: | ---: | ---: |");
    for (name, path) in pages {
        read(&address, &path, connections, WARM_UP).await?;
        let Measured { latencies, took, bytes } =
            read(&address, &path, connections, Duration::from_secs(options.seconds)).await?;
        let ms = |share| latencies.ms(share);
        let rate = f64::from(latencies.len()) / took.as_secs_f64();
        console::line(&format!("| {name} | {rate:.0} | {:.2} | {:.2} | {bytes} |", ms(0.5), ms(0.99)));
    }
    Ok(())
}

/// Reads a page repeatedly on these connections.
async fn read(address: &str, path: &str, connections: usize, length: Duration) -> Result<Measured> {
    let (start, mut tasks) = (Instant::now(), JoinSet::new());
    for _ in 0..connections {
        let (mut wire, request) = (Wire::connect(address).await?, wire::get(path));
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < length {
                let asked = Instant::now();
                let status = wire.ask(&request).await?;
                anyhow::ensure!(status == 200, "a page is answered with {status}");
                latencies.push(asked.elapsed());
            }
            anyhow::Ok((latencies, wire.body_bytes()))
        });
    }
    let (mut all, mut bytes) = (Vec::new(), 0);
    while let Some(of_one) = tasks.join_next().await {
        let (latencies, size) = of_one??;
        all.extend(latencies);
        bytes = bytes.max(size);
    }
    Ok(Measured { latencies: Latencies::of(all), took: start.elapsed(), bytes })
}
