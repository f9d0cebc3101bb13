//! Lines of the log, with the ids of their trace in front.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Json, Writer};
use tracing_subscriber::fmt::{self as lines, FmtContext};
use tracing_subscriber::registry::LookupSpan;

use crate::context::Context;

/// tracing-subscriber's JSON, which has no place for fields of ours beside the event's.
pub struct WithIds(Format<Json>);

/// One JSON object a line; in a span, `trace_id` and `span_id` come first. The list of spans ends with the current one, so
/// that is not repeated.
pub fn with_ids() -> WithIds {
    WithIds(lines::format().json().flatten_event(true).with_current_span(false))
}

impl<S, N> FormatEvent<S, N> for WithIds
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
        let rest = line.strip_prefix('{').unwrap_or(&line);
        write!(writer, "{{\"trace_id\":\"{trace_id:032x}\",\"span_id\":\"{span_id:016x}\",{rest}")
    }
}
