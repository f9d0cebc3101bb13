//! The log and the traces of Punctual's programs.
//!
//! A trace follows one request through the job it enqueued to the mail server's reply. The context is W3C Trace
//! Context: it arrives in the header `traceparent`, is stored with each job, and is in every log line as `trace_id` and
//! `span_id`. Spans leave the process only if `PUNCTUAL_OTLP_ENDPOINT` is set.
//!
//! Recorded are the `tracing` spans of Punctual's own crates, level info and above. Three conventions:
//! - a field `traceparent` on a new span makes it a child of that context instead of the enclosing span;
//! - the fields `method`, `route`, `operation`, `kind` and `step` complete a span's name, so they never hold ids;
//! - an event with target `access` adds its fields to its span.

mod context;
mod layer;
mod log;
mod otlp;
mod settings;
mod span;

pub use context::Context;
pub use settings::{HttpEndpoint, InvalidSetting, LogFormat, Settings};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use self::layer::TraceLayer;
use self::otlp::Exporter;

/// The log and the traces of a running program.
#[derive(Debug)]
#[must_use = "call `finish` when the program ends, or the last spans are lost"]
pub struct Telemetry {
    exporter: Option<Exporter>,
}

impl Telemetry {
    /// Sends the remaining spans; gives up after three seconds.
    pub async fn finish(self) {
        if let Some(exporter) = self.exporter {
            exporter.finish().await;
        }
    }
}

/// Starts the log and the traces. A second start in one process (tests) changes nothing. Call it within a Tokio
/// runtime: the exporter is a task.
pub fn start(settings: &Settings, program: &'static str) -> Telemetry {
    let exporter = settings.collector.clone().map(|endpoint| Exporter::start(endpoint, program));
    let traces = TraceLayer::new(exporter.clone(), settings.sample_ratio);
    let ours = filter_fn(|metadata| {
        *metadata.level() <= LevelFilter::INFO
            && (metadata.target().starts_with("punctual") || metadata.target() == "access")
    });
    // The filter was validated when the configuration was read.
    let shown: Targets =
        settings.log_filter.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let registry = tracing_subscriber::registry().with(traces.with_filter(ours));
    // An error means that a subscriber is already installed.
    let _ = match settings.log_format {
        LogFormat::Json => {
            let lines = fmt::layer().json().event_format(log::with_trace_ids()).with_filter(shown);
            registry.with(lines).try_init()
        }
        LogFormat::Human => registry.with(fmt::layer().compact().with_filter(shown)).try_init(),
    };
    Telemetry { exporter }
}

/// The `traceparent` of the current span. The queue stores it with each job to continue the trace.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    Context::current().map(|context| context.to_string())
}
