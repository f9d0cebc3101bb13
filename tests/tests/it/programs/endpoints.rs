//! Webhook endpoints over HTTP.

use reqwest::Method;
use serde_json::json;

use punctual_testkit::Programs;

use crate::api::salon::{Salon, brief};

#[tokio::test]
async fn an_administrator_adds_changes_and_removes_an_endpoint() {
    let salon = Salon::open(1).await;
    let (api, admin) = (&salon.api, &salon.admin);
    let wish = json!({ "url": "https://hooks.example.org/in?key=1", "types": ["booking.created"] });
    let made = api.post("/v1/webhooks", Some(admin), &wish).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let id = made.body["endpoint"]["id"].as_str().unwrap();
    let path = format!("/v1/webhooks/{id}");
    assert_eq!((made.header("location"), made.header("etag")), (path.as_str(), "W/\"1\""));

    let found = api.get(&path, Some(admin)).await;
    assert_eq!(found.body, made.body["endpoint"]);
    assert_eq!(found.body["status"], "active");
    let listed = api.get("/v1/webhooks", Some(admin)).await;
    assert_eq!(listed.body["data"], json!([found.body]));
    assert!(!listed.body.to_string().contains("whsec_"), "the secret is shown once");

    let change = json!({ "types": [], "active": false });
    let changed = api.write(Method::PATCH, &path, admin, Some(&change)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!((&changed.body["types"], &changed.body["status"]), (&json!([]), &json!("paused")));
    assert_eq!(changed.body["url"], wish["url"]);

    let stale = api.change(&format!("{path}/secret"), admin, "\"1\"", None).await;
    assert_eq!(brief(&stale), (412, "precondition_failed"));
    let rotated = api.change(&format!("{path}/secret"), admin, "\"2\"", None).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert_ne!(rotated.body["secret"], made.body["secret"]);

    assert_eq!(api.write(Method::DELETE, &path, admin, None).await.status, 204);
    assert_eq!(brief(&api.get(&path, Some(admin)).await), (404, "not_found"));
}

#[tokio::test]
async fn a_url_that_cannot_be_posted_to_is_refused_with_what_is_expected() {
    let salon = Salon::open(1).await;
    for url in
        ["hooks.example.org", "ftp://hooks.example.org/", "https://me:pw@hooks.example.org/", "https://x/#a"]
    {
        let refused = salon.api.post("/v1/webhooks", Some(&salon.admin), &json!({ "url": url })).await;
        assert_eq!(refused.status, 400, "{url}: {}", refused.body);
        assert_eq!(refused.faults(), ["body /url bad_url"], "{url}");
    }
    assert_eq!(salon.api.count("webhook_endpoints").await, 0);
}

#[tokio::test]
async fn a_test_event_is_listed_with_its_payload_and_can_be_replayed() {
    let salon = Salon::open(1).await;
    let (api, admin) = (&salon.api, &salon.admin);
    let made = api.post("/v1/webhooks", Some(admin), &json!({ "url": "https://hooks.example.org/" })).await;
    let path = format!("/v1/webhooks/{}", made.body["endpoint"]["id"].as_str().unwrap());
    let sent = api.post(&format!("{path}/test"), Some(admin), &json!({})).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let delivery = api.get(sent.header("location"), Some(admin)).await;
    assert_eq!(delivery.body["status"], "pending");
    let payload = delivery.body["payload"].as_str().unwrap();
    assert_eq!(payload, r#"{"data":{},"timestamp":"2027-05-03T08:00:00+02:00","type":"webhook.test"}"#);
    let listed = api.get(&format!("{path}/deliveries?status=pending&limit=1"), Some(admin)).await;
    assert_eq!(listed.body["data"][0]["id"], sent.body["id"]);

    let replay = format!("{path}/replay");
    let one = api.post(&replay, Some(admin), &json!({ "delivery_id": sent.body["id"] })).await;
    assert_eq!(one.body, json!({ "replayed": 1 }));
    let failed = api.post(&replay, Some(admin), &json!({})).await;
    assert_eq!(failed.body, json!({ "replayed": 0 }));
    let since = api.post(&replay, Some(admin), &json!({ "from": "2027-05-03T00:00:00+02:00" })).await;
    assert_eq!(since.body, json!({ "replayed": 1 }));
    assert_eq!(api.count("queue.jobs WHERE kind = 'webhook.deliver.v1'").await, 1, "it still waits");
    let both = json!({ "delivery_id": sent.body["id"], "from": "2027-05-03T00:00:00+02:00" });
    assert_eq!(brief(&api.post(&replay, Some(admin), &both).await), (400, "invalid_request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_and_deliveries_are_seen_tested_and_replayed_at_the_command_line() {
    let salon = Salon::open(1).await;
    let (api, admin) = (&salon.api, &salon.admin);
    let programs = Programs::on(&api.database);
    let run = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        let output = programs.run("worker", &arguments, "");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let json = |line: &str| {
        let (code, out, error) = run(&format!("{line} --json"));
        assert_eq!(code, 0, "{line}: {error}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap()
    };
    let wish = json!({ "url": "https://hooks.example.org/", "description": "CRM" });
    let made = api.post("/v1/webhooks", Some(admin), &wish).await;
    let id = made.body["endpoint"]["id"].as_str().unwrap();
    let (_, table, _) = run("webhooks");
    assert!(table.contains(id) && table.contains("active") && table.contains("CRM"), "{table}");
    assert_eq!(json("webhooks")["data"][0]["url"], wish["url"]);

    let tested = json(&format!("webhooks test {id}"));
    assert_eq!((&tested["event_type"], &tested["status"]), (&json!("webhook.test"), &json!("pending")));
    let (_, table, _) = run(&format!("webhooks deliveries {id}"));
    assert!(table.contains("webhook.test") && table.contains("pending"), "{table}");
    assert_eq!(json(&format!("webhooks deliveries {id} --status failed"))["data"], json!([]));
    let delivery = tested["id"].as_str().unwrap();
    assert_eq!(json(&format!("webhooks replay {id} --delivery {delivery}"))["replayed"], 1);
    assert_eq!(json(&format!("webhooks replay {id}"))["replayed"], 0);
    assert_eq!(api.count("webhook_deliveries").await, 1);

    let (code, _, why) = run("webhooks deliveries 0196a1f0-7c1e-7000-8000-000000000000");
    assert!(code != 0 && why.contains("no such webhook endpoint"), "{why}");
}
