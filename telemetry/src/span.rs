//! The data of one recorded span.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::time::SystemTime;

use tracing::field::{Field, Visit};

use crate::context::Context;

/// Most events kept per span: a job that retries while Postgres is down could log one a second.
const MAX_EVENTS: usize = 32;

/// OTLP's `SpanKind`; the values are the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Work within the process.
    Internal = 1,
    /// It handles a request.
    Server = 2,
    /// It calls another server.
    Client = 3,
    /// It runs a job.
    Consumer = 5,
}

impl SpanKind {
    fn of(span: &str) -> Self {
        match span {
            "request" => Self::Server,
            "job" => Self::Consumer,
            "smtp" => Self::Client,
            _ => Self::Internal,
        }
    }
}

/// A field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string.
    Text(Cow<'static, str>),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A boolean.
    Bool(bool),
}

/// A name and its value.
pub type Attribute = (&'static str, Value);

/// A log event within a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    pub at: SystemTime,
    pub attributes: Vec<Attribute>,
}

/// The machine's wall clock: collectors compare spans across machines. Nothing is decided by it.
#[expect(clippy::disallowed_methods, reason = "spans carry the machine's own time")]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// A span that is recorded.
#[derive(Debug, Clone)]
pub struct SpanData {
    pub context: Context,
    /// Span id of the parent.
    pub parent: Option<u64>,
    pub name: &'static str,
    pub kind: SpanKind,
    pub started_at: SystemTime,
    pub ended_at: SystemTime,
    pub attributes: Vec<Attribute>,
    pub events: Vec<SpanEvent>,
    pub failed: bool,
}

impl SpanData {
    pub fn start(context: Context, parent: Option<u64>, name: &'static str, fields: Fields) -> Self {
        let started_at = now();
        Self {
            context,
            parent,
            name,
            kind: SpanKind::of(name),
            started_at,
            ended_at: started_at,
            attributes: fields.attributes,
            events: Vec::new(),
            failed: false,
        }
    }

    /// Adds fields recorded later. `failed = true`, or `status` of 500 and above, marks the span as failed.
    pub fn add_fields(&mut self, fields: Fields) {
        for (name, value) in fields.attributes {
            match (name, &value) {
                ("failed", Value::Bool(failed)) => self.failed |= failed,
                ("status", Value::Int(500..)) => {
                    self.failed = true;
                    self.attributes.push((name, value));
                }
                _ => self.attributes.push((name, value)),
            }
        }
    }

    /// Adds an event, up to [`MAX_EVENTS`].
    pub fn add_event(&mut self, fields: Fields) {
        if self.events.len() < MAX_EVENTS {
            self.events.push(SpanEvent { at: now(), attributes: fields.attributes });
        }
    }

    /// The name a collector shows, such as `request POST /v1/bookings` or `smtp rcpt`.
    pub fn display_name(&self) -> String {
        let mut full = self.name.to_owned();
        for part in ["method", "route", "operation", "kind", "step"] {
            if let Some((_, Value::Text(text))) = self.attributes.iter().find(|(name, _)| *name == part) {
                full.push(' ');
                full.push_str(text);
            }
        }
        full
    }
}

/// The fields of a span or an event.
#[derive(Debug, Default)]
pub struct Fields {
    /// The context in the field `traceparent`.
    pub parent: Option<Context>,
    pub attributes: Vec<Attribute>,
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes.push((field.name(), Value::Int(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.attributes.push((field.name(), Value::Int(i64::try_from(value).unwrap_or(i64::MAX))));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attributes.push((field.name(), Value::Float(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.push((field.name(), Value::Bool(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "traceparent" {
            self.parent = Context::parse(value);
        } else {
            self.attributes.push((field.name(), Value::Text(Cow::Owned(value.to_owned()))));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a String cannot fail; if the Debug implementation does, what it wrote so far is kept.
        let _ = write!(text, "{value:?}");
        self.attributes.push((field.name(), Value::Text(Cow::Owned(text))));
    }
}

/// Reads only the field `traceparent`, for spans that are not recorded.
#[derive(Debug, Default)]
pub struct ParentField(pub Option<Context>);

impl Visit for ParentField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "traceparent" {
            self.0 = Context::parse(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
