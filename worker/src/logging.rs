//! The log: to standard output, one line an event.

use punctual_core::config::{Config, LogFormat};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts it; a second start in one process (tests) changes nothing.
pub fn start(config: &Config) {
    let filter = EnvFilter::builder().parse_lossy(&config.log);
    let registry = tracing_subscriber::registry().with(filter);
    // An error says that there is a log already.
    let _ = match config.log_format {
        LogFormat::Json => registry.with(fmt::layer().json().flatten_event(true)).try_init(),
        LogFormat::Human => registry.with(fmt::layer().compact()).try_init(),
    };
}
