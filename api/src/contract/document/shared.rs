//! Moves responses of several operations to `components.responses`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::finish::each_operation;
use crate::http::problem::PROBLEM_JSON;

/// Replaces every problem response that occurs more than once by a reference to one of its codes' names.
pub fn share_responses(document: &mut Value) {
    let mut uses: BTreeMap<String, (Value, usize)> = BTreeMap::new();
    each_problem_response(document, |response| {
        let entry = uses.entry(response.to_string()).or_insert_with(|| (response.clone(), 0));
        entry.1 += 1;
    });
    let shared: BTreeMap<String, (String, Value)> = uses
        .into_iter()
        .filter(|(_, (_, count))| *count > 1)
        .map(|(text, (response, _))| (text, (name(&response), response)))
        .collect();
    each_problem_response(document, |response| {
        if let Some((name, _)) = shared.get(&response.to_string()) {
            *response = json!({ "$ref": format!("#/components/responses/{name}") });
        }
    });
    let components: Map<String, Value> = shared.into_values().collect();
    document["components"]["responses"] = Value::Object(components);
}

fn each_problem_response(document: &mut Value, mut visit: impl FnMut(&mut Value)) {
    each_operation(document, |operation| {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        let problems = responses.into_iter().flatten().filter(|(status, _)| status.as_str() >= "400");
        problems.for_each(|(_, response)| visit(response));
    });
}

/// The codes of a response in Pascal case, and whether it carries the state of limits: `InvalidTokenOrSessionEnded`.
fn name(response: &Value) -> String {
    let examples = response["content"][PROBLEM_JSON]["examples"].as_object();
    let codes = examples.into_iter().flat_map(Map::keys).map(|code| pascal(code));
    let limits = if response["headers"].get("RateLimit").is_some() { "WithLimits" } else { "" };
    codes.collect::<Vec<_>>().join("Or") + limits
}

fn pascal(code: &str) -> String {
    let word =
        |word: &str| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
    code.split('_').map(word).collect()
}
