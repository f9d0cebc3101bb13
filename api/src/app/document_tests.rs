use serde_json::Value;

use super::document;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");

fn value() -> Value {
    serde_json::from_str(&document().unwrap()).unwrap()
}

fn each_schema(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, value);
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                each_schema(value, &format!("{path}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                each_schema(value, &format!("{path}/{index}"), visit);
            }
        }
        _ => {}
    }
}

#[test]
fn the_committed_file_is_the_document() {
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        committed == document().unwrap(),
        "openapi/openapi.json is out of date; run: cargo run -p punctual-api -- openapi > openapi/openapi.json"
    );
}

#[test]
fn every_operation_is_described_and_tells_its_problems() {
    let document = value();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let at = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 3), "{at}");
            assert!(operation["operationId"].is_string() && operation["tags"].is_array(), "{at}");
            for status in ["401", "500", "503"] {
                let response = &operation["responses"][status];
                let shared =
                    response["$ref"].as_str().and_then(|at| document.pointer(at.trim_start_matches('#')));
                let content = &shared.unwrap_or(response)["content"]["application/problem+json"];
                assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{at} {status}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{at} {}", parameter["name"]);
            }
        }
    }
}

#[test]
fn every_string_number_and_array_has_bounds() {
    let document = value();
    let mut without = Vec::new();
    each_schema(&document["components"]["schemas"], "", &mut |path, schema| {
        let has = |name: &str| schema.get(name).is_some();
        let bound = match schema["type"].as_str() {
            Some("string") => {
                let is_time = schema["format"] == "date" || schema["format"] == "date-time";
                is_time || has("maxLength") || has("enum") || has("allOf")
            }
            Some("integer") => has("minimum") && has("maximum"),
            Some("array") => has("maxItems"),
            _ => true,
        };
        if !bound {
            without.push(path.to_owned());
        }
    });
    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn every_schema_and_every_field_is_described() {
    let document = value();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name}");
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(schema["description"].is_string() || schema.get("$ref").is_some(), "{name}.{field}");
        }
    }
}

#[test]
fn every_body_is_a_named_schema_with_an_example() {
    let document = value();
    let mut without = Vec::new();
    each_schema(&document["paths"], "", &mut |path, value| {
        if path.ends_with("/content/application~1json") || path.ends_with("/content/application/json") {
            assert!(value["schema"]["$ref"].is_string(), "{path}");
            if !value["example"].is_object() {
                without.push(path.to_owned());
            }
        }
    });
    assert!(without.is_empty(), "{without:#?}");
    each_schema(&document["components"]["schemas"], "", &mut |path, schema| {
        let nested = path.matches('/').count() > 1;
        assert!(!(nested && schema["type"] == "object"), "an object without a name: {path}");
    });
}

#[test]
fn what_is_told_of_examples_is_of_schemas_and_fields_that_exist() {
    let (document, told) = (value(), include_str!("../contract/document/examples.json"));
    let told: Value = serde_json::from_str(told).unwrap();
    let schemas = &document["components"]["schemas"];
    for (name, fields) in told.as_object().unwrap() {
        for field in fields.as_object().unwrap().keys() {
            let known = if name == "*" {
                schemas.as_object().unwrap().values().any(|s| s["properties"].get(field).is_some())
            } else {
                schemas[name]["properties"].get(field).is_some()
            };
            assert!(known, "examples.json tells of {name}.{field}, which is not there");
        }
    }
}

#[test]
fn dates_and_instants_have_no_length_which_the_go_generator_cannot_compile() {
    each_schema(&value(), "", &mut |path, schema| {
        if schema["format"] == "date" || schema["format"] == "date-time" {
            assert!(schema.get("minLength").is_none() && schema.get("maxLength").is_none(), "{path}");
        }
    });
}

#[test]
fn a_field_that_may_be_null_does_not_refer_to_an_enumeration_that_refuses_it() {
    let document = value();
    each_schema(&document, "", &mut |path, schema| {
        if schema["nullable"] == true {
            let reference = schema.pointer("/allOf/0/$ref").and_then(Value::as_str).unwrap_or_default();
            let named = document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            assert!(named.get("enum").is_none(), "{path}");
        }
    });
}
