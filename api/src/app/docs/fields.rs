//! Types and fields as text.

use serde::Serialize;
use serde_json::Value;

use super::json::{entries, list, prose, text};

const SCHEMAS: &str = "#/components/schemas/";

/// A field, a parameter or a header.
#[derive(Serialize)]
pub struct Field {
    pub name: String,
    /// Location of a parameter; none for a field.
    pub place: Option<String>,
    pub kind: Kind,
    pub required: bool,
    /// HTML.
    pub about: String,
}

/// A type.
#[derive(Serialize)]
pub struct Kind {
    /// `string (uuid)`, `list of`
    pub text: String,
    /// The schema it refers to.
    pub schema: Option<String>,
    /// `1 to 200 characters, null`
    pub bounds: String,
}

/// The fields of an object.
pub fn fields(schema: &Value) -> Vec<Field> {
    let required: Vec<String> = list(&schema["required"]).map(text).collect();
    let field = |(name, value): (&String, &Value)| Field {
        name: name.clone(),
        place: None,
        kind: kind(value),
        required: required.contains(name),
        about: prose(&value["description"]),
    };
    entries(&schema["properties"]).map(field).collect()
}

/// A parameter of an operation.
pub fn parameter(value: &Value) -> Field {
    Field {
        name: text(&value["name"]),
        place: Some(text(&value["in"])),
        kind: kind(&value["schema"]),
        required: value["required"].as_bool().unwrap_or_default(),
        about: prose(&value["description"]),
    }
}

/// A type as text.
pub fn kind(schema: &Value) -> Kind {
    let mut bounds = bounds(schema);
    if let Some(name) = schema_name(schema) {
        return Kind { text: String::new(), schema: Some(name), bounds };
    }
    if schema["type"] == "array" {
        let items = kind(&schema["items"]);
        let text =
            if items.text.is_empty() { "list of".to_owned() } else { format!("list of {}", items.text) };
        if bounds.is_empty() {
            bounds = items.bounds;
        }
        return Kind { text, schema: items.schema, bounds };
    }
    let mut words = text(&schema["type"]);
    if let Some(format) = schema["format"].as_str() {
        words = format!("{words} ({format})");
    }
    let values: Vec<String> = list(&schema["enum"]).map(text).collect();
    if !values.is_empty() {
        words = values.join(", ");
    }
    Kind { text: words, schema: None, bounds }
}

/// The referenced schema, directly or beside a description.
pub fn schema_name(schema: &Value) -> Option<String> {
    let reference = schema.get("$ref").or_else(|| schema["allOf"].get(0)?.get("$ref"))?;
    reference.as_str()?.strip_prefix(SCHEMAS).map(str::to_owned)
}

fn bounds(schema: &Value) -> String {
    let number = |name: &str| schema.get(name).and_then(Value::as_f64);
    let range = |least: &str, most: &str, unit: &str| match (number(least), number(most)) {
        (Some(least), Some(most)) if (least - most).abs() < f64::EPSILON => Some(format!("{least}{unit}")),
        (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
        (Some(least), None) => Some(format!("at least {least}{unit}")),
        (None, Some(most)) => Some(format!("at most {most}{unit}")),
        (None, None) => None,
    };
    let null = (schema["nullable"] == true).then(|| "or null".to_owned());
    // The length of an id or an instant follows from its format.
    let length =
        schema.get("format").is_none().then(|| range("minLength", "maxLength", " characters")).flatten();
    [range("minimum", "maximum", ""), length, range("minItems", "maxItems", " items"), null]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}
