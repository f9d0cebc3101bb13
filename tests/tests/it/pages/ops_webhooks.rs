//! Webhooks on the ops page.

use serde_json::json;

use super::ops::{log_in, see, submit};
use super::test_pages::Salon;

/// An endpoint; its id.
pub async fn webhook(salon: &Salon) -> String {
    let url = "https://hooks.a-host-with-a-long-name.example.org/punctual/bookings?key=0123456789abcdef";
    let wish = json!({ "url": url, "description": "CRM", "types": ["booking.created", "booking.cancelled"] });
    let made = salon.api.post("/v1/webhooks", Some(&salon.admin), &wish).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["endpoint"]["id"].as_str().unwrap().to_owned()
}

/// A delivery to the only endpoint that was given up; its id.
pub async fn failed_delivery(salon: &Salon) -> String {
    let insert = "INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_type, status, attempts, answer_code, answer,
                                                  error, took_ms, attempted_at, created_at)
                  SELECT gen_random_uuid(), w.id, nextval('change_ids'), 'webhook.test', 'failed', 10, 503,
                         'the database of the CRM is being moved <b>', 'it answered 503', 84, w.created_at, w.created_at
                  FROM webhook_endpoints AS w RETURNING id::text";
    sqlx::query_scalar(insert).fetch_one(salon.api.database.pool()).await.unwrap()
}

#[tokio::test]
async fn an_administrator_sees_tests_replays_and_stops_webhooks() {
    let salon = Salon::open(1, json!({})).await;
    let endpoint = webhook(&salon).await;
    let failed = failed_delivery(&salon).await;
    let cookie = log_in(&salon).await;
    let list = see(&salon, &cookie, "/ops/webhooks").await.text;
    assert!(list.contains("hooks.a-host-with-a-long-name.example.org") && list.contains("active"), "{list}");
    assert!(!list.contains("0123456789abcdef"), "the rest of a URL may be secret");
    let path = format!("/ops/webhooks/{endpoint}");
    let page = see(&salon, &cookie, &path).await.text;
    assert!(page.contains("10 attempts · 503 · 84 ms") && page.contains("it answered 503"), "{page}");
    let none = see(&salon, &cookie, &format!("{path}?status=delivered")).await.text;
    assert!(none.contains("No delivery is delivered."), "{none}");
    let one = format!("{path}/deliveries/{failed}");
    let page = see(&salon, &cookie, &one).await.text;
    assert!(page.contains("webhook.test") && page.contains("is being moved &lt;b&gt;"), "{page}");

    let act = async |verb: &str, question: &str| {
        let path = format!("{path}/{verb}");
        let asked = see(&salon, &cookie, &path).await;
        assert!(asked.text.contains(question), "{}", asked.text);
        assert_eq!(submit(&salon, &cookie, &path, &[("form_token", "forged")]).await.status, 403);
        let token = asked.field("form_token").to_owned();
        let done = submit(&salon, &cookie, &path, &[("form_token", &token)]).await;
        assert_eq!(done.status, 303, "{}", done.text);
        done.header("location").replace("../", "/").replace("//", "/").replace("//", "/")
    };
    let pending = async || salon.api.count("webhook_deliveries WHERE status = 'pending'").await;
    let tested = act("test", "Post a test event to").await;
    assert_eq!(pending().await, 1);
    let page = see(&salon, &cookie, &tested).await.text;
    assert!(page.contains("pending") && page.contains("&quot;webhook.test&quot;"), "{page}");
    assert_eq!(act(&format!("replay?delivery={failed}"), "Post the delivery to").await, one);
    assert_eq!(pending().await, 2);
    assert_eq!(act("replay", "Post the failed deliveries to").await, path);
    assert_eq!(pending().await, 2, "none failed");
    act("stop", "Stop posting to").await;
    assert!(see(&salon, &cookie, &path).await.text.contains("paused"));
    act("start", "Set hooks.").await;
    assert_eq!(salon.api.count("webhook_endpoints WHERE status = 'active'").await, 1);
    assert_eq!(see(&salon, &cookie, &format!("/ops/webhooks/{failed}")).await.status, 404);
    assert_eq!(see(&salon, &cookie, &format!("{path}/explode")).await.status, 404);
    assert_eq!(see(&salon, &cookie, &format!("{path}?cursor=x")).await.status, 400);
}
