use punctual_core::config::Config;
use punctual_queue::Shutdown;

use super::Failure;
use crate::run::{Options, start};
use crate::{logging, metrics};

/// Takes jobs until SIGTERM or Ctrl-C; a second one ends it at once.
pub async fn run(config: &Config) -> Result<(), Failure> {
    logging::start(config);
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
    Ok(())
}
