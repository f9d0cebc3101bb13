//! What the programs say about themselves while they run: the log, and the traces.
//!
//! A trace follows one request through the job it left behind to the mail server's reply. Its context is W3C Trace
//! Context: it comes in as the header `traceparent`, is stored with each job, and stands as `trace_id` and `span_id` in
//! every line of the log. The spans themselves leave the process only where `PUNCTUAL_OTLP_ENDPOINT` says so.
//!
//! Spans are those of `tracing`, from level info up, in Punctual's own crates. Three conventions tie them to traces:
//! - a field `traceparent` on a new span makes it a child of that context, whatever span it was made in;
//! - the fields `operation`, `kind`, `step` and `route` complete a span's name, so they never hold ids;
//! - the event with target `access` adds its fields to the span it happens in.

mod context;
mod layer;
mod log;
mod otlp;
mod recording;

pub use context::Context;
use punctual_core::config::{Config, LogFormat};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use self::layer::Traces;
use self::otlp::Exporter;

/// The log and the traces of a program that runs.
#[derive(Debug)]
#[must_use = "finish it at the program's end, or the last spans are lost"]
pub struct Telemetry {
    exporter: Option<Exporter>,
}

impl Telemetry {
    /// Sends the spans that wait, for a moment at most.
    pub async fn finish(self) {
        if let Some(exporter) = self.exporter {
            exporter.finish().await;
        }
    }
}

/// Starts log and traces; a second start in one process (tests) changes nothing. Within a Tokio runtime: what exports
/// the spans is a task of it.
pub fn start(config: &Config, program: &'static str) -> Telemetry {
    let exporter = config.traces.collector.clone().map(|endpoint| Exporter::start(endpoint, program));
    let traces = Traces::new(exporter.clone(), config.traces.ratio);
    let ours = filter_fn(|metadata| {
        *metadata.level() <= LevelFilter::INFO
            && (metadata.target().starts_with("punctual") || metadata.target() == "access")
    });
    // The configuration has checked it.
    let shown: Targets =
        config.log.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let registry = tracing_subscriber::registry().with(traces.with_filter(ours));
    // An error says that there is a log already.
    let _ = match config.log_format {
        LogFormat::Json => {
            let lines = fmt::layer().json().event_format(log::with_ids()).with_filter(shown);
            registry.with(lines).try_init()
        }
        LogFormat::Human => registry.with(fmt::layer().compact().with_filter(shown)).try_init(),
    };
    punctual_queue::trace_jobs_with(|| Context::current().map(|context| context.to_string()));
    Telemetry { exporter }
}
