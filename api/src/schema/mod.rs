//! Validates a value against the published schema. Every error has its JSON pointer and never contains a sent value.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;

pub mod format;

use crate::http::problem::{Fault, Place};

/// Maximum number of reported errors, so that a hostile body cannot cause a large answer.
const MAX_FAULTS: usize = 50;

/// Checks values of one part of a request.
pub struct Checker<'a> {
    registry: &'a Registry,
    place: Place,
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    /// A checker without errors.
    #[must_use]
    pub const fn new(registry: &'a Registry, place: Place) -> Self {
        Self { registry, place, faults: Vec::new() }
    }

    /// The errors.
    #[must_use]
    pub fn finish(self) -> Vec<Fault> {
        self.faults
    }

    /// Adds an error.
    pub fn fault(&mut self, pointer: &str, code: &'static str, detail: impl Into<Cow<'static, str>>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault {
                place: self.place,
                pointer: pointer.to_owned(),
                code,
                detail: detail.into(),
            });
        }
    }

    /// Checks `value` at `pointer`.
    pub fn check(&mut self, value: &Value, schema: &MetaSchemaRef, pointer: &str) {
        match schema {
            MetaSchemaRef::Reference(name) => {
                let registry = self.registry;
                if let Some(schema) = registry.schemas.get(name) {
                    self.check_schema(value, schema, pointer);
                }
            }
            MetaSchemaRef::Inline(schema) => self.check_schema(value, schema, pointer),
        }
    }

    fn check_schema(&mut self, value: &Value, schema: &MetaSchema, pointer: &str) {
        if value.is_null() {
            if !schema.nullable && !schema.ty.is_empty() {
                self.fault(pointer, "null", "must not be null; leave it out instead");
                return;
            }
            if schema.nullable {
                return;
            }
        }
        for part in &schema.all_of {
            self.check(value, part, pointer);
        }
        match schema.ty {
            "object" => self.check_object(value, schema, pointer),
            "array" => self.check_array(value, schema, pointer),
            "string" => self.check_string(value, schema, pointer),
            "integer" | "number" => self.check_number(value, schema, pointer),
            "boolean" if !value.is_boolean() => self.fault(pointer, "type", "must be true or false"),
            _ => {}
        }
    }

    fn check_object(&mut self, value: &Value, schema: &MetaSchema, pointer: &str) {
        let Value::Object(object) = value else {
            return self.fault(pointer, "type", "must be an object");
        };
        for name in &schema.required {
            if !object.contains_key(*name) {
                self.fault(&join(pointer, name), "required", "is required");
            }
        }
        for (name, value) in object {
            match schema.properties.iter().find(|(known, _)| known == name) {
                Some((_, schema)) => self.check(value, schema, &join(pointer, name)),
                None if schema.additional_properties.is_none() => {
                    // A sent name is truncated, so that it cannot fill the answer.
                    let shown: String = name.chars().take(40).collect();
                    self.fault(&join(pointer, &shown), "unknown_field", "is not a field of this object");
                }
                None => {}
            }
        }
    }

    fn check_array(&mut self, value: &Value, schema: &MetaSchema, pointer: &str) {
        let Value::Array(items) = value else {
            return self.fault(pointer, "type", "must be an array");
        };
        if schema.min_items.is_some_and(|least| items.len() < least) {
            self.fault(
                pointer,
                "too_few",
                format!("must have at least {} items", schema.min_items.unwrap_or(0)),
            );
        }
        if let Some(most) = schema.max_items.filter(|most| items.len() > *most) {
            return self.fault(pointer, "too_many", format!("must have at most {most} items"));
        }
        if schema.unique_items == Some(true) {
            for (index, item) in items.iter().enumerate() {
                if items[..index].contains(item) {
                    self.fault(&format!("{pointer}/{index}"), "duplicate", "is in the array already");
                }
            }
        }
        if let Some(schema) = &schema.items {
            for (index, item) in items.iter().enumerate() {
                self.check(item, schema, &format!("{pointer}/{index}"));
            }
        }
    }

    fn check_string(&mut self, value: &Value, schema: &MetaSchema, pointer: &str) {
        let Value::String(text) = value else {
            return self.fault(pointer, "type", "must be a string");
        };
        if text.contains('\0') {
            return self.fault(pointer, "format", "must not contain the character U+0000");
        }
        if !schema.enum_items.is_empty() {
            if !schema.enum_items.contains(value) {
                let known: Vec<_> = schema.enum_items.iter().filter_map(Value::as_str).collect();
                self.fault(pointer, "not_allowed", format!("must be one of: {}", known.join(", ")));
            }
            return;
        }
        let length = text.chars().count();
        if let Some(least) = schema.min_length.filter(|least| length < *least) {
            let detail = match least {
                1 => "must not be empty".to_owned(),
                least => format!("must have at least {least} characters"),
            };
            return self.fault(pointer, "too_short", detail);
        }
        if let Some(most) = schema.max_length.filter(|most| length > *most) {
            return self.fault(pointer, "too_long", format!("must have at most {most} characters"));
        }
        if let Some(Err((code, detail))) = schema.format.map(|name| format::check(name, text)) {
            self.fault(pointer, code, detail);
        }
    }

    fn check_number(&mut self, value: &Value, schema: &MetaSchema, pointer: &str) {
        let whole = schema.ty == "integer";
        let number = match value {
            Value::Number(number) if !whole || number.is_i64() || number.is_u64() => number.as_f64(),
            _ => None,
        };
        let Some(number) = number else {
            return self.fault(
                pointer,
                "type",
                if whole { "must be a whole number" } else { "must be a number" },
            );
        };
        let (low, high) = match schema.format {
            Some("int32") => (f64::from(i32::MIN), f64::from(i32::MAX)),
            Some("uint32") => (0.0, f64::from(u32::MAX)),
            Some("uint16") => (0.0, f64::from(u16::MAX)),
            Some("uint8") => (0.0, f64::from(u8::MAX)),
            Some("int16") => (f64::from(i16::MIN), f64::from(i16::MAX)),
            _ => (-9_007_199_254_740_991.0, 9_007_199_254_740_991.0),
        };
        let low = schema.minimum.unwrap_or(low);
        let high = schema.maximum.unwrap_or(high);
        if number < low {
            self.fault(pointer, "too_small", format!("must be at least {low}"));
        } else if number > high {
            self.fault(pointer, "too_large", format!("must be at most {high}"));
        }
    }
}

/// `pointer` and one more step, escaped (RFC 6901 §3).
fn join(pointer: &str, step: &str) -> String {
    if step.contains(['~', '/']) {
        format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
    } else {
        format!("{pointer}/{step}")
    }
}

#[cfg(test)]
mod tests;
