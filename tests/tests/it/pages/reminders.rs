//! `/u/{token}`

use punctual_core::links::Purpose;
use punctual_core::notifications::enqueue_due;
use punctual_queue::Clock;
use reqwest::Method;
use serde_json::json;

use super::test_pages::Salon;

async fn customer(salon: &Salon) -> String {
    let id = "SELECT id::text FROM customers ORDER BY created_at LIMIT 1";
    sqlx::query_scalar(id).fetch_one(salon.api.database.pool()).await.unwrap()
}

/// The reminders as `revision outcome`.
async fn reminders(salon: &Salon) -> Vec<String> {
    let rows = "SELECT concat_ws(' ', rev, coalesce(outcome::text, 'waits')) FROM notifications WHERE kind = 'reminder'
                ORDER BY send_at, rev";
    sqlx::query_scalar(rows).fetch_all(salon.api.database.pool()).await.unwrap()
}

/// How many mail jobs about bookings are in these states.
async fn jobs(salon: &Salon, states: &[&str]) -> i64 {
    let count =
        "SELECT count(*) FROM queue.jobs JOIN notifications ON notifications.id::text = jobs.unique_key
                 WHERE booking_id IS NOT NULL AND jobs.state::text = ANY($1)";
    sqlx::query_scalar(count).bind(states).fetch_one(salon.api.database.pool()).await.unwrap()
}

#[tokio::test]
async fn a_mail_program_ends_reminders_with_one_click_and_a_person_begins_them_again() {
    let salon = Salon::open(1, json!({ "reminders": [{ "kind": "offset", "minutes": 1560 }] })).await;
    salon.book("10:00").await;
    let path = salon.link(Purpose::Unsubscribe, &customer(&salon).await, 0);
    // Due at 8 on Monday, which is now: its job exists.
    assert_eq!(
        (reminders(&salon).await, jobs(&salon, &["available"]).await),
        (vec!["1 waits".to_owned()], 2)
    );
    let page = salon.get(&path).await;
    assert!(
        page.text.contains("We remind you") && page.header("cache-control") == "no-store",
        "{}",
        page.text
    );
    assert_eq!(salon.see(salon.ask(Method::HEAD, &path)).await.status, 200);
    assert_eq!(reminders(&salon).await, ["1 waits"], "looking changes nothing");

    let click = salon.ask(Method::POST, &path).form(&[("List-Unsubscribe", "One-Click")]);
    assert_eq!(salon.see(click).await.status, 200);
    assert_eq!(reminders(&salon).await, ["1 unwanted"]);
    assert_eq!(jobs(&salon, &["cancelled"]).await, 1);
    let confirmation = "notifications WHERE kind = 'confirmation' AND outcome IS NULL";
    assert_eq!(salon.api.count(confirmation).await, 1, "other mails are still sent");

    // A new booking is not reminded of either; both are once reminders are turned on again.
    salon.book("11:00").await;
    assert_eq!(reminders(&salon).await, ["1 unwanted", "1 unwanted"]);
    let page = salon.submit(&path, &[("reminders", "on")]).await;
    assert!(page.text.contains("We remind you"));
    assert_eq!(reminders(&salon).await, ["1 waits", "1 waits"]);
    enqueue_due(salon.api.database.pool(), salon.api.clock.now()).await.unwrap();
    assert_eq!(jobs(&salon, &["scheduled", "available"]).await, 3);
}

#[tokio::test]
async fn one_click_may_come_as_multipart_and_an_unknown_link_ends_nothing() {
    let salon = Salon::open(1, json!({})).await;
    salon.book("10:00").await;
    let id = customer(&salon).await;
    let body =
        "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let click = |path: &str| {
        let request = salon.ask(Method::POST, path).header("content-type", "multipart/form-data; boundary=x");
        request.body(body)
    };
    let manage_token = salon.manage(&id).replace("/m/", "/u/");
    for path in [salon.link(Purpose::Unsubscribe, &id, 7), manage_token, "/u/x".to_owned()] {
        assert_eq!(salon.see(click(&path)).await.status, 404);
    }
    assert_eq!(reminders(&salon).await, ["1 waits"]);
    let path = salon.link(Purpose::Unsubscribe, &id, 0);
    assert!(salon.see(click(&path)).await.text.contains("You get no reminders"));
    assert_eq!(reminders(&salon).await, ["1 unwanted"]);
}
