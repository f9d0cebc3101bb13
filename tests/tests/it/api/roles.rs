//! Every operation of the document against every role.

use punctual_api::contract::{Access, OPERATIONS};
use reqwest::Method;
use serde_json::Value;

use super::TestApi;

#[tokio::test]
async fn every_operation_lets_in_whom_the_table_says_and_nobody_else() {
    let api = TestApi::start().await;
    let document = api.get("/openapi.json", None).await.body;
    let sessions = [
        ("guest", None),
        ("customer", Some(api.somebody("customer").await)),
        ("staff", Some(api.somebody("staff").await)),
        ("admin", Some(api.somebody("admin").await)),
    ];
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let entry = OPERATIONS.iter().find(|entry| entry.id == id).unwrap();
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
                walked += 1;
            }
        }
    }
    assert_eq!(walked, OPERATIONS.len() * sessions.len());
    assert_eq!(document["openapi"], Value::from("3.0.3"));
}
