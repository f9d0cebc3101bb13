use std::process::ExitCode;

use punctual_core::config::{Config, Program};
use tokio::signal::unix::{SignalKind, signal};

use super::Failure;

/// Serves until SIGTERM or Ctrl-C; a second one ends it at once.
pub async fn run(config: &Config) -> Result<ExitCode, Failure> {
    let telemetry = punctual_telemetry::start(&config.telemetry, "punctual-api");
    punctual_queue::trace_jobs_with(punctual_telemetry::current_traceparent);
    for warning in config.warnings(Program::Api) {
        tracing::warn!("{} {}", warning.key, warning.why);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut stopped = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let running = tokio::select! {
        running = crate::start(config, None) => running?,
        () = stopped() => return Ok(ExitCode::SUCCESS),
    };
    stopped().await;
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => {
            telemetry.finish().await;
            Ok(ExitCode::SUCCESS)
        }
        () = stopped() => Ok(ExitCode::FAILURE),
    }
}
