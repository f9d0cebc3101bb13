//! Programs with API keys.

use reqwest::Method;
use serde_json::{Value, json};

use punctual_testkit::Programs;

use crate::api::salon::{Salon, brief};
use crate::api::test_api::Session;

/// Makes a key; its id, and what a program sends.
async fn key(salon: &Salon, scopes: &[&str], expires_at: Option<&str>) -> (String, Session) {
    let mut wish = json!({ "name": "CRM", "scopes": scopes });
    if let Some(at) = expires_at {
        wish["expires_at"] = json!(at);
    }
    let made = salon.api.post("/v1/api-keys", Some(&salon.admin), &wish).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let access = text(&made.body["key"]);
    (text(&made.body["api_key"]["id"]), Session { access, refresh: String::new() })
}

fn for_gina(salon: &Salon, time: &str) -> Value {
    let mut wish = salon.wish(time);
    wish["contact"] = json!({ "name": "Gina", "email": "gina@example.org" });
    wish
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_until_it_is_revoked() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let (id, program) = key(&salon, &["bookings:write", "events:read"], None).await;
    assert!(program.access.starts_with(&format!("pk_{}_", id.replace('-', ""))), "{}", program.access);
    assert_eq!(api.get("/v1/events", Some(&program)).await.status, 200);
    let booked = api.create("/v1/bookings", Some(&program), &for_gina(&salon, "10:00")).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    let path = format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap());
    assert_eq!(api.get(&path, Some(&program)).await.status, 200);
    let events = api.get(&format!("{path}/events"), Some(&salon.admin)).await;
    let made = &events.body["data"].as_array().unwrap_or_else(|| panic!("{}", events.body))[0];
    assert_eq!((&made["actor"], &made["actor_id"]), (&json!("api_key"), &json!(id)));
    let own = api.create("/v1/bookings", Some(&program), &salon.wish("11:00")).await;
    assert_eq!((own.status.as_u16(), own.faults()), (422, vec!["body /contact required".to_owned()]));

    // Staff are shown more than guests, so that also what is public needs its scope.
    for (refused, scope) in [
        ("/v1/customers", "customers:read"),
        ("/v1/webhooks", "webhooks:read"),
        ("/v1/staff", "catalogue:read"),
        ("/v1/me", "No API key"),
        ("/v1/api-keys", "No API key"),
        ("/v1/ops/queues", "No API key"),
    ] {
        let answer = api.get(refused, Some(&program)).await;
        assert_eq!(brief(&answer), (403, "scope_missing"), "{refused}");
        assert!(answer.body["detail"].as_str().unwrap().contains(scope), "{}", answer.body);
    }
    let listed = api.get("/v1/api-keys", Some(&salon.admin)).await;
    let shown = &listed.body["data"][0];
    assert_eq!((&shown["id"], &shown["scopes"]), (&json!(id), &json!(["bookings:write", "events:read"])));
    assert!(shown["last_used_at"].is_string() && shown["revoked_at"].is_null(), "{shown}");
    let stored: String =
        sqlx::query_scalar("SELECT k::text FROM api_keys k").fetch_one(api.database.pool()).await.unwrap();
    let secret = program.access.splitn(3, '_').nth(2).unwrap();
    assert!(!stored.contains(secret) && !listed.body.to_string().contains(secret));

    let wrong = Session { access: program.access.replace(secret, &"A".repeat(43)), refresh: String::new() };
    assert_eq!(brief(&api.get("/v1/events", Some(&wrong)).await), (401, "invalid_token"));
    for _ in 0..2 {
        let revoke = format!("/v1/api-keys/{id}");
        assert_eq!(api.write(Method::DELETE, &revoke, &salon.admin, None).await.status, 204);
    }
    assert_eq!(brief(&api.get("/v1/events", Some(&program)).await), (401, "invalid_token"));
}

#[tokio::test]
async fn a_key_that_has_expired_is_refused_and_one_without_a_scope_is_not_made() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let (_, program) = key(&salon, &["events:read"], Some("2027-05-03T09:00:00+02:00")).await;
    assert_eq!(api.get("/v1/events", Some(&program)).await.status, 200);
    api.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(brief(&api.get("/v1/events", Some(&program)).await), (401, "invalid_token"));
    let admin = api.somebody("admin").await;
    let make = async |wish: Value| api.post("/v1/api-keys", Some(&admin), &wish).await;
    assert_eq!(make(json!({ "name": "CRM", "scopes": [] })).await.status, 400);
    assert_eq!(make(json!({ "name": "CRM", "scopes": ["everything"] })).await.status, 400);
    let past = json!({ "name": "CRM", "scopes": ["events:read"], "expires_at": "2027-05-03T08:30:00+02:00" });
    let refused = make(past).await;
    assert_eq!(
        (refused.status.as_u16(), refused.faults()),
        (422, vec!["body /expires_at in_past".to_owned()])
    );
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_the_api_key_that_sent_it() {
    let salon = Salon::open(1).await;
    let (_, one) = key(&salon, &["bookings:write"], None).await;
    let (_, other) = key(&salon, &["bookings:write"], None).await;
    let send = async |session: &Session, time: &str| {
        let request = salon.api.request(Method::POST, "/v1/bookings").header("idempotency-key", "same");
        salon.api.send(request.bearer_auth(&session.access).json(&for_gina(&salon, time))).await
    };
    let first = send(&one, "09:00").await;
    let again = send(&one, "09:00").await;
    assert_eq!((first.status.as_u16(), &again.body["id"]), (201, &first.body["id"]));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(brief(&send(&one, "10:00").await), (422, "idempotency_key_reused"));
    assert_eq!(send(&other, "10:00").await.status, 201);
}

#[tokio::test]
async fn each_key_has_a_limit_of_its_own() {
    let limits = [("PUNCTUAL_LIMITS", "on"), ("PUNCTUAL_LIMIT_API_KEY", "2/1m")];
    let salon = Salon::open_with(&limits).await;
    let (_, one) = key(&salon, &["events:read"], None).await;
    let (_, other) = key(&salon, &["events:read"], None).await;
    let statuses = async |session: &Session| {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(salon.api.get("/v1/events", Some(session)).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses(&one).await, [200, 200, 429]);
    assert_eq!(statuses(&other).await, [200, 200, 429]);
    assert_eq!(salon.api.get("/v1/events", Some(&salon.admin)).await.status, 200);
}

#[tokio::test]
async fn a_key_that_sees_no_bookings_lets_no_endpoint_be_told_of_customers() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let (_, blind) = key(&salon, &["webhooks:write"], None).await;
    let (_, seeing) = key(&salon, &["bookings:read", "webhooks:write"], None).await;
    let wish = json!({ "url": "https://hooks.example.org/", "include_customer": true });
    let refused = api.post("/v1/webhooks", Some(&blind), &wish).await;
    assert_eq!(brief(&refused), (403, "scope_missing"));
    assert!(refused.body["detail"].as_str().unwrap().contains("bookings:read"), "{}", refused.body);
    let made = api.post("/v1/webhooks", Some(&seeing), &wish).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let path = format!("/v1/webhooks/{}", made.body["endpoint"]["id"].as_str().unwrap());
    let edit = async |session: &Session, change: Value| {
        api.write(Method::PATCH, &path, session, Some(&change)).await.status.as_u16()
    };
    // It could send other people's contact to an address of its own.
    let elsewhere = json!({ "url": "https://elsewhere.example.org/" });
    assert_eq!(edit(&blind, elsewhere.clone()).await, 403);
    assert_eq!(api.get(&path, Some(&salon.admin)).await.body["url"], wish["url"]);
    assert_eq!(edit(&blind, json!({ "include_customer": false })).await, 200);
    assert_eq!(edit(&blind, elsewhere).await, 200);
    assert_eq!(edit(&blind, json!({ "include_customer": true })).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_listed_and_revoked_at_the_command_line() {
    let salon = Salon::open(1).await;
    let programs = Programs::on(&salon.api.database);
    let run = |arguments: &[&str]| {
        let output = programs.run("api", &[&["api-key"], arguments].concat(), "");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (made, access, said) = run(&["create", "CRM", "--scope", "events:read", "--scope", "bookings:read"]);
    assert!(made, "{said}");
    let program = Session { access: access.trim().to_owned(), refresh: String::new() };
    assert_eq!(salon.api.get("/v1/events", Some(&program)).await.status, 200);
    let (_, table, _) = run(&["list"]);
    assert!(table.contains("bookings:read,events:read") && table.contains("CRM"), "{table}");
    let id = table.split_whitespace().find(|word| word.len() == 36).unwrap().to_owned();
    let (revoked, _, said) = run(&["revoke", &id]);
    assert!(revoked, "{said}");
    assert_eq!(brief(&salon.api.get("/v1/events", Some(&program)).await), (401, "invalid_token"));
    assert!(run(&["list"]).1.contains("revoked"));
    let (found, _, said) = run(&["revoke", "0196a1f0-7c1e-7000-8000-000000000000"]);
    assert!(!found && said.contains("no such API key"), "{said}");
    let (made, _, said) = run(&["create", "CRM", "--scope", "everything"]);
    assert!(!made && said.contains("bookings:"), "{said}");
}
