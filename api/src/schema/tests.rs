use poem_openapi::{Enum, Object, types::Type};
use serde_json::json;

use super::*;

#[derive(Object)]
struct Sample {
    #[oai(validator(min_length = 2, max_length = 5))]
    name: String,
    #[oai(validator(minimum(value = "1"), maximum(value = "9")))]
    count: i32,
    start: Option<chrono::DateTime<chrono::FixedOffset>>,
    #[oai(validator(max_items = 2, unique_items))]
    tags: Option<Vec<String>>,
    #[oai(nullable)]
    note: Option<String>,
    inner: Option<Inner>,
    color: Option<Color>,
}

#[derive(Object)]
struct Inner {
    id: uuid::Uuid,
}

#[derive(Enum)]
#[oai(rename_all = "lowercase")]
enum Color {
    Red,
    Green,
}

fn faults(value: &Value) -> Vec<(String, &'static str)> {
    let mut registry = Registry::new();
    Sample::register(&mut registry);
    let mut checker = Checker::new(&registry, Place::Body);
    checker.check(value, &Sample::schema_ref(), "");
    checker.finish().into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

#[test]
fn a_value_that_fits_has_no_fault() {
    let id = "0196a1f0-7c1e-7000-8000-000000000000";
    let value = json!({ "name": "Zoë", "count": 9, "start": "2027-05-04T10:00:00Z", "tags": ["a", "b"], "note": null,
        "inner": { "id": id }, "color": "red" });
    assert_eq!(faults(&value), []);
}

#[test]
fn every_fault_is_told_with_its_pointer() {
    let value = json!({ "name": "x", "count": 10, "start": "2027-05-04T10:00:00", "tags": ["a", "a"], "extra": 1,
        "inner": { "id": 5, "a/b~": 1 }, "color": "blue" });
    let mut found = faults(&value);
    found.sort();
    let want = [
        ("/color", "not_allowed"),
        ("/count", "too_large"),
        ("/extra", "unknown_field"),
        ("/inner/a~1b~0", "unknown_field"),
        ("/inner/id", "type"),
        ("/name", "too_short"),
        ("/start", "format"),
        ("/tags/1", "duplicate"),
    ];
    assert_eq!(found, want.map(|(pointer, code)| (pointer.to_owned(), code)));
}

#[test]
fn what_is_missing_null_or_of_another_type_is_told() {
    let pointers = |value| faults(&value);
    assert_eq!(pointers(json!([])), [(String::new(), "type")]);
    assert_eq!(pointers(json!({})), [("/name".to_owned(), "required"), ("/count".to_owned(), "required")]);
    let value = json!({ "name": null, "count": 1.5, "tags": "a" });
    assert_eq!(pointers(value).iter().map(|(_, code)| *code).collect::<Vec<_>>(), ["type", "null", "type"]);
}

#[test]
fn a_fault_never_holds_the_value() {
    let mut registry = Registry::new();
    Sample::register(&mut registry);
    let mut checker = Checker::new(&registry, Place::Body);
    checker.check(&json!({ "name": "hunter2hunter2", "count": "hunter2" }), &Sample::schema_ref(), "");
    assert!(!format!("{:?}", checker.finish()).contains("hunter2"));
}

#[test]
fn a_hostile_value_does_not_make_a_large_answer() {
    let object: serde_json::Map<_, _> =
        (0..5000).map(|n| (format!("{n}{}", "x".repeat(200)), json!(1))).collect();
    let found = faults(&Value::Object(object));
    assert_eq!(found.len(), MAX_FAULTS);
    assert!(found.iter().all(|(pointer, _)| pointer.len() <= 41));
}
