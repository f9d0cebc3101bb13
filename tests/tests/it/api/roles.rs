//! Every operation with every role, and the table of it in the docs.

use std::fmt::Write as _;

use punctual_api::{contract::Access, operations};
use reqwest::Method;
use serde_json::Value;

use super::TestApi;

#[tokio::test]
async fn every_operation_allows_exactly_the_declared_roles() {
    let api = TestApi::start().await;
    let document = api.get("/openapi.json", None).await.body;
    let sessions = [
        ("guest", None),
        ("customer", Some(api.somebody("customer").await)),
        ("staff", Some(api.somebody("staff").await)),
        ("admin", Some(api.somebody("admin").await)),
    ];
    let mut walked = 0;
    let mut table = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let entry = operations().find(|entry| entry.id == id).unwrap();
            let verb = method.to_uppercase();
            let mut row = format!("| `{id}` | `{verb} {path}` |");
            for (role, session) in &sessions {
                // No parameter and no body fits, so that whoever is let in changes nothing.
                let steps: Vec<_> =
                    path.split('/').map(|step| if step.starts_with('{') { "none" } else { step }).collect();
                let path = steps.join("/");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let request = api.request(method, &path).query(&[("none", "none")]);
                let request =
                    if let Some(session) = session { request.bearer_auth(&session.access) } else { request };
                let status = api.send(request).await.status.as_u16();
                let let_in = match entry.access {
                    Access::Public | Access::Guests => true,
                    Access::Roles(roles) => roles.iter().any(|known| known.as_str() == *role),
                };
                let want = match (let_in, session) {
                    (true, _) => 400,
                    (false, None) => 401,
                    (false, Some(_)) => 403,
                };
                assert_eq!(status, want, "{id} as {role}");
                let cell = match (status, entry.access, session) {
                    (400, Access::Guests, None) => "where guests are taken",
                    (400, ..) => "yes",
                    _ => "–",
                };
                write!(row, " {cell} |").unwrap();
                walked += 1;
            }
            table.push((operations().position(|entry| entry.id == id).unwrap(), row));
        }
    }
    assert_eq!(walked, operations().count() * sessions.len());
    assert_eq!(document["openapi"], Value::from("3.0.3"));
    table.sort();
    let rows: Vec<String> = table.into_iter().map(|(_, row)| row).collect();
    compare_with_docs(&rows.join("\n"));
}

/// Compares the table of `docs/roles.md` with the results.
fn compare_with_docs(rows: &str) {
    const BEGIN: &str = "<!-- table -->\n\n";
    const END: &str = "\n\n<!-- /table -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/roles.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let head = "| operation | | guest | customer | staff | administrator |\n|---|---|---|---|---|---|";
    let table = format!("{head}\n{rows}");
    if std::env::var_os("PUNCTUAL_WRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    let mend = "PUNCTUAL_WRITE_DOCS=1 cargo test -p punctual-tests --test it -- api::roles";
    assert!(found == table, "docs/roles.md does not tell what was found: {mend}");
}
