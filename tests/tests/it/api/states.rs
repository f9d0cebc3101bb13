//! Holds, and status changes by staff.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{Salon, brief};

#[tokio::test]
async fn a_hold_keeps_a_slot_until_it_is_booked_or_runs_out() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let (ada, eve) = (api.somebody("customer").await, api.somebody("customer").await);
    let held = api.create("/v1/holds", Some(&ada), &salon.wish("10:00")).await;
    assert_eq!((held.status.as_u16(), &held.body["status"]), (201, &json!("held")), "{}", held.body);
    assert_eq!(held.body["hold_expires_at"], "2027-05-03T06:10:00Z");
    assert!(held.body.get("customer").is_none());
    assert_eq!(salon.starts().await, ["09:00", "11:00"]);
    assert_eq!(
        brief(&api.create("/v1/bookings", Some(&eve), &salon.wish("10:00")).await),
        (409, "slot_taken")
    );

    let by_hold = json!({ "hold_id": held.body["id"], "customer_note": "A window seat" });
    let booked = api.create("/v1/bookings", Some(&ada), &by_hold).await;
    assert_eq!(
        (booked.status.as_u16(), &booked.body["status"]),
        (201, &json!("confirmed")),
        "{}",
        booked.body
    );
    assert_eq!(booked.body["customer_note"], "A window seat");
    assert_eq!(brief(&api.create("/v1/bookings", Some(&ada), &by_hold).await), (410, "hold_expired"), "once");

    let short = json!({ "service_id": salon.service, "start": "2027-05-04T11:00:00+02:00", "minutes": 2 });
    let held = api.create("/v1/holds", Some(&ada), &short).await;
    api.clock.advance(TimeDelta::minutes(3));
    assert_eq!(salon.starts().await, ["09:00", "11:00"], "it ran out");
    let late = api.create("/v1/bookings", Some(&ada), &json!({ "hold_id": held.body["id"] })).await;
    assert_eq!(brief(&late), (410, "hold_expired"));
    assert_eq!(api.create("/v1/bookings", Some(&eve), &salon.wish("11:00")).await.status, 201);
    let eleven = json!({ "service_id": salon.service, "start": "2027-05-04T09:00:00+02:00", "minutes": 11 });
    assert_eq!(api.create("/v1/holds", Some(&ada), &eleven).await.faults(), ["body /minutes too_large"]);
}

#[tokio::test]
async fn what_needs_confirmation_waits_for_staff() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let (ada, maria) = (api.somebody("customer").await, api.somebody("staff").await);
    let service = format!("/v1/services/{}", salon.service);
    let ask = json!({ "requires_confirmation": true });
    assert_eq!(api.write(Method::PATCH, &service, &salon.admin, Some(&ask)).await.status, 200);

    let booked = api.create("/v1/bookings", Some(&ada), &salon.wish("09:00")).await;
    assert_eq!(booked.body["status"], "pending");
    let path = format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap());
    let confirm = format!("{path}/confirm");
    assert_eq!(brief(&api.change(&confirm, &ada, "*", None).await), (403, "forbidden"));
    assert_eq!(api.count("notifications WHERE kind = 'confirmation'").await, 0);
    let confirmed = api.change(&confirm, &maria, "\"1\"", None).await;
    assert_eq!((confirmed.status.as_u16(), &confirmed.body["status"]), (200, &json!("confirmed")));
    assert_eq!(confirmed.header("etag"), "W/\"2\"");
    assert_eq!(api.count("notifications WHERE kind = 'confirmation'").await, 1);
    let again = api.change(&confirm, &maria, "*", None).await;
    assert_eq!(
        (brief(&again), &again.body["allowed"]),
        ((409, "invalid_transition"), &json!(["cancel", "reschedule", "update"]))
    );

    let other = salon.book(&ada, "10:00").await;
    let declined = api.change(&format!("{other}/decline"), &maria, "\"1\"", None).await;
    assert_eq!((declined.status.as_u16(), &declined.body["status"]), (200, &json!("declined")));
    assert_eq!(salon.starts().await, ["10:00", "11:00"]);
    let events = api.get(&format!("{other}/events"), Some(&ada)).await;
    let seen: Vec<_> = events.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (&event["actor"], &event["status"]))
        .collect();
    assert_eq!(seen, [(&json!("customer"), &json!("pending")), (&json!("staff"), &json!("declined"))]);
    assert_eq!(events.body["data"][0]["details"]["to"]["start"], "2027-05-04T08:00:00Z");
    assert!(events.body["data"][1].get("actor_id").is_none(), "who of the staff is for staff");
}

#[tokio::test]
async fn after_the_start_staff_mark_completed_or_no_show() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let path = salon.book(&ada, "09:00").await;
    let complete = format!("{path}/complete");
    let early = api.change(&complete, &salon.admin, "*", None).await;
    assert_eq!(brief(&early), (409, "invalid_transition"), "not before the start");
    api.clock.advance(TimeDelta::hours(25));
    let admin = api.somebody("admin").await;
    let done = api.change(&complete, &admin, "\"1\"", None).await;
    assert_eq!((done.status.as_u16(), &done.body["status"]), (200, &json!("completed")), "{}", done.body);
    let missed = api.change(&format!("{path}/no-show"), &admin, "\"2\"", None).await;
    assert_eq!((missed.status.as_u16(), &missed.body["status"]), (200, &json!("no_show")));
    assert_eq!(
        brief(&api.change(&format!("{path}/no-show"), &admin, "\"2\"", None).await),
        (412, "precondition_failed")
    );
    api.clock.advance(TimeDelta::days(8));
    let admin = api.somebody("admin").await;
    assert_eq!(
        brief(&api.change(&complete, &admin, "*", None).await),
        (409, "invalid_transition"),
        "7 days later"
    );
}
