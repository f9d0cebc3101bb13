//! JSON log lines that begin with the ids of their trace.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Json, Writer};
use tracing_subscriber::fmt::{self as lines, FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::context::Context;

/// Adds the ids and the spans to tracing-subscriber's JSON, which cannot take extra fields itself.
pub struct WithTraceIds(Format<Json>);

/// One JSON object a line. Within a span, `trace_id` and `span_id` come first and the enclosing spans last, outermost
/// first.
pub fn with_trace_ids() -> WithTraceIds {
    WithTraceIds(lines::format().json().flatten_event(true).with_current_span(false).with_span_list(false))
}

impl<S, N> FormatEvent<S, N> for WithTraceIds
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let span = ctx.lookup_current();
        let context = span.and_then(|span| span.extensions().get::<Context>().copied());
        let Some(Context { trace_id, span_id, .. }) = context else {
            return self.0.format_event(ctx, writer, event);
        };
        let mut line = String::with_capacity(512);
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        let members =
            line.trim_end().strip_prefix('{').and_then(|line| line.strip_suffix('}')).unwrap_or(&line);
        write!(writer, "{{\"trace_id\":\"{trace_id:032x}\",\"span_id\":\"{span_id:016x}\",{members}")?;
        // The layer has already formatted each span's fields as JSON: copying them avoids parsing them for every line.
        let mut separator = ",\"spans\":[";
        for span in ctx.event_scope().into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields =
                extensions.get::<FormattedFields<N>>().map_or("", |formatted| formatted.fields.as_str());
            let fields =
                fields.strip_prefix('{').and_then(|fields| fields.strip_suffix('}')).unwrap_or_default();
            let comma = if fields.is_empty() { "" } else { "," };
            write!(writer, "{separator}{{{fields}{comma}\"name\":\"{}\"}}", span.name())?;
            separator = ",";
        }
        writeln!(writer, "]}}")
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::fmt as lines;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::layer::TraceLayer;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_object_with_its_trace_ids_and_enclosing_spans() {
        let output = Output::default();
        let writer = output.clone();
        let log = lines::layer().json().event_format(with_trace_ids()).with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(TraceLayer::new(None, 0.0)).with(log);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("outside");
            let request = tracing::info_span!("request", request_id = 7, text = "a \"}{\" b", nested = "{}");
            let _within = request.entered();
            let bare = tracing::info_span!("bare");
            bare.in_scope(|| tracing::info!(status = 200, "inside"));
        });
        let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{written}");
        assert!(lines[0].get("trace_id").is_none() && lines[0]["message"] == "outside");
        assert!(written.lines().nth(1).unwrap().starts_with("{\"trace_id\":\""), "{written}");
        assert_eq!(lines[1]["status"], 200);
        assert_eq!(
            lines[1]["spans"],
            json!([
                { "request_id": 7, "text": "a \"}{\" b", "nested": "{}", "name": "request" },
                { "name": "bare" }
            ])
        );
    }
}
