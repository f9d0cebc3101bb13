use punctual_core::config::{Config, Program};
use punctual_queue::Shutdown;

use super::Failure;
use crate::metrics;
use crate::run::{Options, start};

/// Runs the worker until SIGTERM or Ctrl-C; a second signal ends it at once.
pub async fn run(config: &Config) -> Result<(), Failure> {
    let telemetry = punctual_telemetry::start(&config.telemetry, "punctual-worker");
    punctual_queue::trace_jobs_with(punctual_telemetry::current_traceparent);
    for warning in config.warnings(Program::Worker) {
        tracing::warn!("{} {}", warning.key, warning.why);
    }
    let metrics = match config.worker.metrics_listen {
        Some(_) => Some(metrics::install()?),
        None => None,
    };
    let shutdown = Shutdown::on_signals()?;
    let running = tokio::select! {
        running = start(config, Options { metrics, ..Options::default() }, shutdown.clone()) => running?,
        () = shutdown.draining() => return Ok(()),
    };
    running.ended().await?;
    tracing::info!("stopped");
    telemetry.finish().await;
    Ok(())
}
