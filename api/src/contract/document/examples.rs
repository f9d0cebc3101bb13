//! Examples of bodies, composed from those of their fields, so that every operation has one. Specific values are in
//! `examples.json`: by schema and field, or for all schemas under `*`; null omits an optional field.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

const EXAMPLES: &str = include_str!("examples.json");

/// Maximum depth; no schema is deeper.
const DEPTH: usize = 10;

/// Gives every JSON body of `operation` an example.
pub fn give(operation: &mut Map<String, Value>, schemas: &Value, examples: &FieldExamples) {
    let give = |body: &mut Value| {
        let Some(media) = body.pointer_mut("/content/application~1json") else { return };
        if let Some(example) = examples.of(schemas, "", "", &media["schema"], DEPTH) {
            media["example"] = example;
        }
    };
    operation.get_mut("requestBody").into_iter().for_each(give);
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    responses.into_iter().flat_map(|responses| responses.values_mut()).for_each(give);
}

/// Examples by schema and field.
pub struct FieldExamples(Value);

impl FieldExamples {
    /// The committed table; tests check that it is JSON.
    pub fn read() -> Self {
        Self(serde_json::from_str(EXAMPLES).unwrap_or_default())
    }

    fn of(&self, schemas: &Value, owner: &str, field: &str, schema: &Value, depth: usize) -> Option<Value> {
        if depth == 0 {
            return None;
        }
        for place in [owner, "*"] {
            match self.0.get(place).and_then(|fields| fields.get(field)) {
                Some(Value::Null) => return None,
                Some(told) => return Some(told.clone()),
                None => {}
            }
        }
        if let Some(example) = schema.get("example") {
            return Some(example.clone());
        }
        let reference =
            schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
        if let Some(name) = reference.and_then(|path| path.rsplit('/').next()) {
            let schema = schemas.get(name)?;
            return match schema.get("properties").and_then(Value::as_object) {
                Some(properties) => Some(self.object(schemas, name, properties, depth)),
                None => self.of(schemas, name, "", schema, depth - 1),
            };
        }
        if let Some(first) = schema.pointer("/enum/0") {
            return Some(first.clone());
        }
        Some(match (schema["type"].as_str()?, schema["format"].as_str().unwrap_or_default()) {
            ("array", _) => {
                let item = match schema["items"]["format"].as_str() {
                    Some("uuid") => Some(json!(example_id(owner, field))),
                    _ => self.of(schemas, owner, "", &schema["items"], depth - 1),
                };
                Value::Array(item.into_iter().collect())
            }
            ("string", "uuid") => json!(example_id(owner, field)),
            ("string", "date-time") => json!("2027-05-04T10:00:00+02:00"),
            ("string", "date") => json!("2027-05-04"),
            ("string", _) => json!("text"),
            ("boolean", _) => json!(true),
            ("integer", _) => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            _ => return None,
        })
    }

    fn object(&self, schemas: &Value, name: &str, properties: &Map<String, Value>, depth: usize) -> Value {
        let field = |(field, schema): (&String, &Value)| {
            Some((field.clone(), self.of(schemas, name, field, schema, depth - 1)?))
        };
        Value::Object(properties.iter().filter_map(field).collect())
    }
}

/// A distinct id per kind of object, the same wherever the object is referred to: a booking's `service_id` is the `id` of
/// the service.
fn example_id(owner: &str, field: &str) -> String {
    let name = field.trim_end_matches('s').trim_end_matches("_id");
    let name = if name.is_empty() || name == "id" { owner } else { name };
    let digest = Sha256::digest(name.to_ascii_lowercase());
    let tail = digest.iter().take(6).fold(String::new(), |tail, byte| format!("{tail}{byte:02x}"));
    format!("0196a1f0-7c1e-7000-8000-{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_different_things_differ_and_those_of_one_thing_agree() {
        assert_eq!(example_id("Booking", "service_id"), example_id("Service", "id"));
        assert_eq!(example_id("Slot", "staff_ids"), example_id("Staff", "id"));
        assert_ne!(example_id("Booking", "id"), example_id("Booking", "service_id"));
    }
}
