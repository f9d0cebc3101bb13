//! `ExportTraceServiceRequest` of OTLP 1: <https://opentelemetry.io/docs/specs/otlp/>. Field numbers are those of
//! opentelemetry/proto/trace/v1/trace.proto and its neighbours; the tests read the bytes with the official types.

use std::time::SystemTime;

use super::wire::Message;
use crate::span::{Attribute, SpanData, SpanEvent, Value};

/// `STATUS_CODE_ERROR`.
const STATUS_ERROR: u64 = 2;

/// OTLP's resource: the process that the spans are from.
#[derive(Debug)]
pub struct Resource {
    program: &'static str,
    /// Unique per process. Random, because process ids repeat across containers.
    instance: String,
}

impl Resource {
    pub fn new(program: &'static str) -> Self {
        Self { program, instance: format!("{:016x}", rand::random::<u64>()) }
    }

    /// The body of a request with these spans.
    pub fn encode(&self, spans: &[SpanData]) -> Vec<u8> {
        let mut request = Message::default();
        request.message(1, |of_resource| {
            of_resource.message(1, |resource| {
                for (name, value) in [
                    ("service.namespace", "punctual"),
                    ("service.name", self.program),
                    ("service.version", env!("CARGO_PKG_VERSION")),
                    ("service.instance.id", &self.instance),
                ] {
                    resource.message(1, |pair| text(pair, name, value));
                }
            });
            of_resource.message(2, |of_scope| {
                of_scope.message(1, |scope| {
                    scope.bytes(1, b"punctual");
                });
                for data in spans {
                    of_scope.message(2, |out| span(out, data));
                }
            });
        });
        request.into_bytes()
    }
}

fn span(out: &mut Message, span: &SpanData) {
    out.bytes(1, &span.context.trace_id.to_be_bytes()).bytes(2, &span.context.span_id.to_be_bytes());
    if let Some(parent) = span.parent {
        out.bytes(4, &parent.to_be_bytes());
    }
    out.bytes(5, span.display_name().as_bytes()).varint(6, span.kind as u64);
    out.fixed64(7, nanos(span.started_at)).fixed64(8, nanos(span.ended_at));
    attributes(out, 9, &span.attributes);
    for item in &span.events {
        out.message(11, |out| event(out, item));
    }
    if span.failed {
        out.message(15, |status| {
            status.varint(3, STATUS_ERROR);
        });
    }
}

fn event(out: &mut Message, event: &SpanEvent) {
    let (message, rest): (Vec<_>, Vec<_>) =
        event.attributes.iter().cloned().partition(|(name, _)| *name == "message");
    let name = match message.first() {
        Some((_, Value::Text(text))) => text,
        _ => "event",
    };
    out.fixed64(1, nanos(event.at)).bytes(2, name.as_bytes());
    attributes(out, 3, &rest);
}

fn attributes(out: &mut Message, field: u32, attributes: &[Attribute]) {
    for (name, value) in attributes {
        out.message(field, |pair| match value {
            Value::Text(value) => text(pair, name, value),
            Value::Bool(value) => number(pair, name, 2, u64::from(*value)),
            Value::Int(value) => number(pair, name, 3, value.cast_unsigned()),
            Value::Float(value) => {
                pair.bytes(1, name.as_bytes()).message(2, |any| {
                    any.fixed64(4, value.to_bits());
                });
            }
        });
    }
}

fn text(pair: &mut Message, name: &str, value: &str) {
    pair.bytes(1, name.as_bytes()).message(2, |any| {
        any.bytes(1, value.as_bytes());
    });
}

fn number(pair: &mut Message, name: &str, field: u32, value: u64) {
    pair.bytes(1, name.as_bytes()).message(2, |any| {
        any.varint(field, value);
    });
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
