//! The page of an operation.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::{
    fields::{Field, Kind, fields, kind, parameter, schema_name},
    json::{entries, list, prose, text},
};

const RESPONSES: &str = "#/components/responses/";

/// An operation.
#[derive(Serialize)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub tag: String,
    /// HTML.
    pub about: String,
    /// Whether a token is required, optional or unused.
    pub token: &'static str,
    pub parameters: Vec<Field>,
    pub body: Option<Body>,
    pub curl: String,
    pub responses: Vec<Answer>,
}

/// The body of a request.
#[derive(Serialize)]
pub struct Body {
    pub media_types: Vec<String>,
    pub required: bool,
    pub kind: Kind,
    pub fields: Vec<Field>,
}

/// A response.
#[derive(Serialize)]
pub struct Answer {
    pub status: String,
    /// HTML.
    pub about: String,
    pub kind: Option<Kind>,
    pub headers: Vec<String>,
    /// Pretty JSON.
    pub example: Option<String>,
}

impl Operation {
    pub fn new(document: &Value, method: &str, path: &str, value: &Value) -> Self {
        let parameters: Vec<Field> = list(&value["parameters"]).map(parameter).collect();
        let schemes: Vec<&Value> = list(&value["security"]).collect();
        let anybody = schemes.iter().any(|scheme| scheme.as_object().is_some_and(serde_json::Map::is_empty));
        let token = match (schemes.is_empty(), anybody) {
            (true, _) => "none",
            (false, true) => "optional",
            (false, false) => "required",
        };
        Self {
            id: text(&value["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&value["summary"]),
            tag: value["tags"].get(0).map(text).unwrap_or_default(),
            about: prose(&value["description"]),
            token,
            curl: curl(method, path, value, token, &parameters),
            parameters,
            body: value.get("requestBody").map(|body| Body::new(document, body)),
            responses: entries(&value["responses"])
                .map(|(status, response)| Answer::new(document, status, response))
                .collect(),
        }
    }
}

impl Body {
    fn new(document: &Value, body: &Value) -> Self {
        let content = &body["content"];
        let schema = entries(content).next().map_or(&Value::Null, |(_, media)| &media["schema"]);
        let resolved = schema_name(schema).map_or(schema, |name| &document["components"]["schemas"][name]);
        Self {
            media_types: entries(content).map(|(name, _)| name.clone()).collect(),
            required: body["required"].as_bool().unwrap_or_default(),
            kind: kind(schema),
            fields: fields(resolved),
        }
    }
}

impl Answer {
    fn new(document: &Value, status: &str, response: &Value) -> Self {
        let shared = response["$ref"].as_str().and_then(|name| name.strip_prefix(RESPONSES));
        let response = shared.map_or(response, |name| &document["components"]["responses"][name]);
        let media = entries(&response["content"]).next().map(|(_, media)| media);
        let example = media.and_then(|media| media.get("example"));
        Self {
            status: status.to_owned(),
            about: prose(&response["description"]),
            kind: media.map(|media| kind(&media["schema"])),
            headers: entries(&response["headers"]).map(|(name, _)| name.clone()).collect(),
            example: example.and_then(|example| serde_json::to_string_pretty(example).ok()),
        }
    }
}

/// The request for a shell, with the document's own example as its body.
fn curl(method: &str, path: &str, value: &Value, token: &str, parameters: &[Field]) -> String {
    let query: Vec<String> = parameters
        .iter()
        .filter(|field| field.required && field.place.as_deref() == Some("query"))
        .map(|field| format!("{name}={{{name}}}", name = field.name))
        .collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut command = format!("curl -X {} \"$API{path}{query}\"", method.to_uppercase());
    let mut add = |part: &str| {
        // Writing to a string cannot fail.
        let _ = write!(command, " \\\n  {part}");
    };
    if token != "none" {
        add("-H \"Authorization: Bearer $TOKEN\"");
    }
    for field in parameters.iter().filter(|field| field.place.as_deref() == Some("header")) {
        match field.name.as_str() {
            "Idempotency-Key" => add("-H \"Idempotency-Key: $(uuidgen)\""),
            "If-Match" => add("-H 'If-Match: \"3\"'"),
            _ => {}
        }
    }
    if let Some((media_type, media)) = entries(&value["requestBody"]["content"]).next() {
        add(&format!("-H 'Content-Type: {media_type}'"));
        match media.get("example") {
            Some(example) => {
                let example = serde_json::to_string_pretty(example).unwrap_or_default();
                add(&format!("-d '{}'", example.replace('\'', "'\\''")));
            }
            None => add("--data-binary @file"),
        }
    }
    command
}
