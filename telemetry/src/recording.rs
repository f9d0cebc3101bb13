//! A span while it lasts, and what became of it.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::time::SystemTime;

use tracing::field::{Field, Visit};

use crate::context::Context;

/// So many events of a span are kept; a job that waits for Postgres could have one a second.
const MOST_EVENTS: usize = 32;

/// Which side of an exchange a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Neither: work within the process.
    Internal = 1,
    /// It answers a request.
    Server = 2,
    /// It asks another server.
    Client = 3,
    /// It does what another span left in the queue.
    Consumer = 5,
}

impl Side {
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
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Int(i64),
    /// A fraction.
    Float(f64),
    /// Yes or no.
    Bool(bool),
}

/// A name and its value.
pub type Attribute = (&'static str, Value);

/// Something that happened within a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    pub at: SystemTime,
    pub attributes: Vec<Attribute>,
}

/// The wall clock: spans are laid beside those of other machines, and no decision rests on them.
#[expect(clippy::disallowed_methods, reason = "spans are made of the machine's own time")]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// A span that is recorded.
#[derive(Debug, Clone)]
pub struct Recording {
    pub context: Context,
    pub parent: Option<u64>,
    pub name: &'static str,
    pub side: Side,
    pub began: SystemTime,
    pub ended: SystemTime,
    pub attributes: Vec<Attribute>,
    pub moments: Vec<Moment>,
    pub failed: bool,
}

impl Recording {
    pub fn begin(context: Context, parent: Option<u64>, name: &'static str, fields: Fields) -> Self {
        let began = now();
        Self {
            context,
            parent,
            name,
            side: Side::of(name),
            began,
            ended: began,
            attributes: fields.attributes,
            moments: Vec::new(),
            failed: false,
        }
    }

    /// Takes fields that came later. `failed`, or a status of 500 and more, says how it went.
    pub fn learn(&mut self, fields: Fields) {
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

    pub fn happened(&mut self, fields: Fields) {
        if self.moments.len() < MOST_EVENTS {
            self.moments.push(Moment { at: now(), attributes: fields.attributes });
        }
    }

    /// The span's name with what tells its likes apart: `request POST /v1/bookings`, `smtp rcpt`.
    pub fn title(&self) -> String {
        let mut title = self.name.to_owned();
        for part in ["method", "route", "operation", "kind", "step"] {
            if let Some((_, Value::Text(text))) = self.attributes.iter().find(|(name, _)| *name == part) {
                title.push(' ');
                title.push_str(text);
            }
        }
        title
    }
}

/// The fields of a span or an event.
#[derive(Debug, Default)]
pub struct Fields {
    /// The context that a span continues.
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
        // Writing to a String can't fail; a Debug that fails leaves what it wrote.
        let _ = write!(text, "{value:?}");
        self.attributes.push((field.name(), Value::Text(Cow::Owned(text))));
    }
}

/// Reads only which context a span continues, where nothing is recorded.
#[derive(Debug, Default)]
pub struct Parent(pub Option<Context>);

impl Visit for Parent {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "traceparent" {
            self.0 = Context::parse(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
