//! Adds what poem-openapi cannot express: who may call an operation, its problems, headers, closed objects, bounds.

use std::collections::{BTreeMap, BTreeSet};

use poem::http::Method;
use punctual_core::api_keys::Scope;
use serde_json::{Map, Value, json};

use super::examples::{self, FieldExamples};
use crate::{
    contract::{Access, Operation, SuccessHeader, scope_of},
    http::problem::{Code, PROBLEM_JSON},
    schema::format,
};

const SCHEME: &str = "accessToken";

/// Finishes the document in place.
pub fn finish(document: &mut Value, operations: &[&Operation]) {
    let mut closed = BTreeSet::new();
    each_place(document, |scope, operation| {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let Some(entry) = operations.iter().find(|entry| entry.id == id) else { return };
        finish_operation(operation, entry, scope);
        references(operation.get("requestBody").unwrap_or(&Value::Null), &mut closed);
    });
    document["components"]["securitySchemes"] = json!({ SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of a session, from `POST /v1/auth/login`, or an API key, from `POST /v1/api-keys`."
    }});
    close_requests(document, closed);
    finish_info(document);
    let codes: Vec<Value> = Code::ALL.iter().map(|code| code.as_str().into()).collect();
    document["components"]["schemas"]["ProblemCode"] = json!({
        "type": "string",
        "description": "The kind of a problem, for programs. New codes may be added: treat an unknown one as its status.",
        "enum": codes,
    });
    document["components"]["schemas"]["Problem"]["properties"]["code"] =
        json!({ "$ref": "#/components/schemas/ProblemCode" });
    walk(document, &|schema| {
        flatten(schema);
        bound(schema);
    });
    let schemas = document["components"]["schemas"].clone();
    walk(document, &|schema| inline_nullable(schema, &schemas));
    let given = FieldExamples::read();
    each_operation(document, |operation| examples::give(operation, &schemas, &given));
}

/// Removes what poem-openapi writes and `OpenAPI` 3.0 does not know, or has as default.
fn finish_info(document: &mut Value) {
    document["openapi"] = "3.0.3".into();
    if let Some(info) = document["info"].as_object_mut() {
        info.remove("summary");
    }
    each_operation(document, |operation| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten().filter_map(Value::as_object_mut) {
            parameter.remove("deprecated");
            if parameter["name"] == "If-Match" {
                // Required for clients. The guard lets a request without it pass, so that the answer is 428, not 400.
                parameter["required"] = true.into();
                parameter["schema"]["pattern"] = "^(\\*|(W/)?\"[0-9]{1,9}\"|[0-9]{1,9})$".into();
                parameter.insert("example".to_owned(), "\"3\"".into());
            }
            if parameter["schema"]["type"] != "array" {
                parameter.remove("explode");
            }
        }
    });
}

/// `nullable` works only beside a `type` (`OpenAPI` 3.0.3): a nullable field that refers to a value repeats its type.
fn inline_nullable(schema: &mut Map<String, Value>, schemas: &Value) {
    if schema.get("nullable").is_none_or(|nullable| nullable != true) {
        return;
    }
    let reference = schema.get("allOf").and_then(|parts| parts.pointer("/0/$ref")).and_then(Value::as_str);
    let named = reference.and_then(|path| path.rsplit('/').next()).and_then(|name| schemas.get(name));
    let Some(Value::Object(named)) = named.filter(|named| named["type"] == "string") else { return };
    // A referenced enumeration refuses null, so its values are given as a pattern, which does not apply to null. A copy of
    // the enumeration would become another type in generated clients.
    if let Some(values) = named.get("enum").and_then(Value::as_array) {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        let longest = values.iter().map(|value| value.len()).max().unwrap_or_default();
        schema.remove("allOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("pattern".to_owned(), format!("^({})$", values.join("|")).into());
        schema.insert("maxLength".to_owned(), longest.into());
        return;
    }
    schema.remove("allOf");
    for (key, value) in named {
        schema.entry(key.clone()).or_insert_with(|| value.clone());
    }
    schema.remove("title");
}

/// Visits every operation of the document.
pub fn each_operation(document: &mut Value, mut visit: impl FnMut(&mut Map<String, Value>)) {
    each_place(document, |_, operation| visit(operation));
}

/// Visits every operation with the scope that an API key needs for it.
fn each_place(document: &mut Value, mut visit: impl FnMut(Option<Scope>, &mut Map<String, Value>)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap_or_default();
            if let Some(operation) = operation.as_object_mut() {
                visit(scope_of(&method, path), operation);
            }
        }
    }
}

fn finish_operation(operation: &mut Map<String, Value>, entry: &Operation, scope: Option<Scope>) {
    let security = match entry.access {
        Access::Public => json!([]),
        Access::Guests => json!([{ SCHEME: [] }, {}]),
        Access::Roles(_) => json!([{ SCHEME: [] }]),
    };
    operation.insert("security".to_owned(), security);
    let mut who = Vec::new();
    if let Access::Roles(roles) = entry.access {
        let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        who.push(format!("Roles: {}.", names.join(", ")));
    }
    who.extend(scope.map(|scope| format!("API keys: scope `{scope}`.")));
    if !who.is_empty() {
        let text = operation.get("description").and_then(Value::as_str).unwrap_or_default();
        let text = format!("{text}\n\n{}", who.join(" ")).trim_start().to_owned();
        operation.insert("description".to_owned(), text.into());
    }
    let problems = problems(operation, entry, scope);
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for response in responses.values_mut() {
        add_headers(response, entry.headers);
    }
    for (status, codes) in problems {
        responses.insert(status.to_string(), problem_response(&codes));
    }
    if !entry.limits.is_empty() || scope.is_some() {
        for response in responses.values_mut() {
            add_limit_headers(response);
        }
    }
}

/// The problems of an operation by status: its own, and those that follow from what it takes.
fn problems(
    operation: &Map<String, Value>,
    entry: &Operation,
    scope: Option<Scope>,
) -> BTreeMap<u16, Vec<Code>> {
    let has_body = operation.contains_key("requestBody");
    let mut codes: BTreeSet<Code> = entry.problems.iter().copied().collect();
    codes.extend([Code::InvalidToken, Code::SessionEnded, Code::ScopeMissing]);
    codes.extend([Code::InternalError, Code::Unavailable]);
    codes.extend([Code::RequestTimeout, Code::ContentTooLarge]);
    if has_body {
        codes.insert(Code::UnsupportedMediaType);
    }
    // Also without parameters and body: unknown ones are refused.
    codes.insert(Code::InvalidRequest);
    if !entry.limits.is_empty() || scope.is_some() {
        codes.insert(Code::TooManyRequests);
    }
    if let Access::Roles(roles) = entry.access {
        codes.insert(Code::Unauthenticated);
        if Access::Roles(roles) != Access::ACCOUNT {
            codes.insert(Code::Forbidden);
        }
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    by_status
}

fn problem_response(codes: &[Code]) -> Value {
    let lines: Vec<_> =
        codes.iter().map(|code| format!("- `{}`: {}", code.as_str(), code.meaning())).collect();
    let example = |code: &Code| {
        json!({
            "type": format!("https://book.example.org/problems/{}", code.as_str()),
            "title": code.title(),
            "status": code.status().as_u16(),
            "detail": code.meaning(),
            "instance": "urn:uuid:0196a1f0-7c1e-7000-8000-000000000000",
            "code": code.as_str(),
        })
    };
    let examples: Map<String, Value> =
        codes.iter().map(|code| (code.as_str().to_owned(), json!({ "value": example(code) }))).collect();
    let mut response = json!({
        "description": lines.join("\n"),
        "content": { PROBLEM_JSON: {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "examples": examples,
        }},
    });
    let may_retry = |code: &Code| {
        matches!(
            code,
            Code::Unavailable | Code::Overloaded | Code::TooManyRequests | Code::IdempotencyInProgress
        )
    };
    if codes.iter().any(may_retry) {
        response["headers"] = json!({ "Retry-After": {
            "description": "Seconds after which to try again.",
            "schema": { "type": "integer", "minimum": 1, "maximum": 604_800 },
        }});
    }
    response
}

/// Adds the headers of limits to every answer that comes after they were checked.
fn add_limit_headers(response: &mut Value) {
    for (name, description) in [
        (
            "RateLimit",
            "For each limit that counted the request: how many requests are left, and after how many seconds there is \
             one more (`\"login-address\";r=49;t=900`). Absent where no limit is in force.",
        ),
        (
            "RateLimit-Policy",
            "For each limit that counted the request: how many requests, in how many seconds \
             (`\"login-address\";q=50;w=900`).",
        ),
    ] {
        response["headers"][name] =
            json!({ "description": description, "schema": { "type": "string", "maxLength": 400 } });
    }
}

fn add_headers(response: &mut Value, headers: &[SuccessHeader]) {
    for header in headers {
        let (name, description, schema) = match header {
            SuccessHeader::ETag => (
                "ETag",
                "The current version, as a weak entity tag.",
                json!({ "type": "string", "maxLength": 64 }),
            ),
            SuccessHeader::Location => {
                ("Location", "The path of what was made.", json!({ "type": "string", "maxLength": 200 }))
            }
            SuccessHeader::IdempotencyReplayed => (
                "Idempotency-Replayed",
                "`true` when this is the stored answer of an earlier request with the same key.",
                json!({ "type": "string", "enum": ["true"] }),
            ),
        };
        response["headers"][name] = json!({ "description": description, "schema": schema });
    }
}

/// Objects of requests refuse unknown fields; those of answers may grow.
fn close_requests(document: &mut Value, mut open: BTreeSet<String>) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut done = BTreeSet::new();
    while let Some(name) = open.pop_first() {
        if done.insert(name.clone())
            && let Some(schema) = schemas.get_mut(&name)
        {
            references(schema, &mut open);
            if schema["type"] == "object" {
                schema["additionalProperties"] = false.into();
            }
        }
    }
}

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            into.extend(name.map(str::to_owned));
            object.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

fn walk(value: &mut Value, visit: &impl Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values_mut().for_each(|value| walk(value, visit));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

/// poem-openapi writes a described reference as two `allOf` parts, of which the second repeats the description beside
/// them: removes the second.
fn flatten(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(parts)) = schema.get_mut("allOf")
        && parts.len() == 2
        && parts[0].get("$ref").is_some()
    {
        parts.truncate(1);
    }
}

/// Bounds that follow from a format, unless given. Dates and instants have none: generators map them to types without a
/// length.
fn bound(schema: &mut Map<String, Value>) {
    if schema.get("format").is_some_and(|format| format == "naive-date") {
        schema.insert("format".to_owned(), "date".into());
    }
    let text = |name| schema.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (ty, format) = (text("type"), text("format"));
    let bounds: &[(&str, i64)] = match (ty.as_str(), format.as_str()) {
        ("string", "uuid") => &[("minLength", 36), ("maxLength", 36)],
        ("integer", "int16") => &[("minimum", -32_768), ("maximum", 32_767)],
        ("integer", "int32") => &[("minimum", -2_147_483_648), ("maximum", 2_147_483_647)],
        ("integer", "uint32") => &[("minimum", 0), ("maximum", 4_294_967_295)],
        ("integer", "uint16") => &[("minimum", 0), ("maximum", 65_535)],
        // The integers that every JSON parser reads exactly (RFC 8259, section 6).
        ("integer", "int64") => &[("minimum", -9_007_199_254_740_991), ("maximum", 9_007_199_254_740_991)],
        ("integer", "uint64") => &[("minimum", 0), ("maximum", 9_007_199_254_740_991)],
        _ => &[],
    };
    if let Some(pattern) = format::pattern(&format) {
        schema.insert("pattern".to_owned(), pattern.into());
    }
    for (name, bound) in bounds {
        schema.entry(*name).or_insert_with(|| (*bound).into());
    }
    // There is no registered format for unsigned integers: the bounds express it.
    if ty == "integer" && format.starts_with('u') {
        schema.insert("format".to_owned(), if format == "uint16" { "int32" } else { "int64" }.into());
    }
    // Whole bounds are written as integers.
    for name in ["minimum", "maximum"] {
        if let Some(whole) = schema.get(name).and_then(Value::as_f64).filter(|bound| bound.fract() == 0.0)
            && schema.get(name).is_some_and(Value::is_f64)
        {
            #[expect(clippy::cast_possible_truncation, reason = "bounds are small whole numbers")]
            schema.insert(name.to_owned(), (whole as i64).into());
        }
    }
}
