//! Changes of services and members of staff.

use reqwest::Method;
use serde_json::json;

use super::{Salon, brief};

#[tokio::test]
async fn a_changed_service_keeps_the_terms_of_earlier_bookings() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let booking = salon.book(&ada, "09:00").await;
    let path = format!("/v1/services/{}", salon.service);
    let wanted =
        json!({ "name": "Cut and dry", "price_minor": 5000, "duration_min": 90, "slot_step_min": 30 });
    let bare =
        api.send(api.request(Method::PATCH, &path).bearer_auth(&salon.admin.access).json(&wanted)).await;
    assert_eq!(brief(&bare), (428, "precondition_required"));
    let changed = api.write(Method::PATCH, &path, &salon.admin, Some(&wanted)).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "W/\"2\""), "{}", changed.body);
    assert_eq!(changed.body["service"]["name"], "Cut and dry");
    assert_eq!(Salon::stranded(&changed).len(), 0);
    assert_eq!(api.get(&path, None).await.body, changed.body["service"]);
    let booked = api.get(&booking, Some(&ada)).await;
    assert_eq!(booked.body["service"]["name"], "Haircut");
    assert_eq!(booked.body["service"]["price"]["minor"], 4500);
    assert_eq!(salon.starts().await, ["10:00", "10:30"]);

    let stale =
        api.request(Method::PATCH, &path).header("if-match", "\"1\"").bearer_auth(&salon.admin.access);
    assert_eq!(brief(&api.send(stale.json(&wanted)).await), (412, "precondition_failed"));
    let wrong = json!({ "reminders": [{ "kind": "offset", "at": "10:00" }], "duration_min": 4 });
    let answer = api.write(Method::PATCH, &path, &salon.admin, Some(&wrong)).await;
    assert_eq!(answer.faults(), ["body /duration_min too_small"]);
    let wrong = json!({ "reminders": [{ "kind": "offset", "at": "10:00" }] });
    let answer = api.write(Method::PATCH, &path, &salon.admin, Some(&wrong)).await;
    assert_eq!(answer.faults(), ["body /reminders/0 conflict"]);
}

#[tokio::test]
async fn an_inactive_service_keeps_its_bookings_and_is_shown_to_staff_only() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    salon.book(&ada, "09:00").await;
    let path = format!("/v1/services/{}", salon.service);
    let ended = api.write(Method::PATCH, &path, &salon.admin, Some(&json!({ "active": false }))).await;
    assert_eq!((ended.status.as_u16(), Salon::stranded(&ended)), (200, vec!["09:00".to_owned()]));
    assert_eq!(brief(&api.get(&path, None).await), (404, "not_found"));
    assert_eq!(api.get("/v1/services", None).await.body, json!({ "data": [] }));
    let forbidden = api.get("/v1/services?include_inactive=true", Some(&ada)).await;
    assert_eq!(brief(&forbidden), (403, "forbidden"));
    let all = api.get("/v1/services?include_inactive=true", Some(&salon.admin)).await;
    assert_eq!(all.body["data"][0]["id"], salon.service);
    assert_eq!(
        brief(&api.create("/v1/bookings", Some(&ada), &salon.wish("10:00")).await),
        (404, "not_found")
    );
}

#[tokio::test]
async fn an_inactive_member_of_staff_keeps_their_bookings() {
    let salon = Salon::open(2).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    for _ in 0..2 {
        salon.book(&ada, "09:00").await;
    }
    let path = format!("/v1/staff/{}", salon.staff[0]);
    let gone = api.write(Method::PATCH, &path, &salon.admin, Some(&json!({ "active": false }))).await;
    assert_eq!(
        (gone.status.as_u16(), Salon::stranded(&gone)),
        (200, vec!["09:00".to_owned()]),
        "{}",
        gone.body
    );
    assert_eq!(gone.body["stranded"][0]["staff_id"], salon.staff[0]);
    let listed = api.get("/v1/staff", None).await;
    assert_eq!(
        (listed.body["data"].as_array().unwrap().len(), &listed.body["data"][0]["id"]),
        (1, &json!(salon.staff[1]))
    );
    assert_eq!(salon.starts().await, ["10:00", "11:00"]);
    let unknown = json!({ "user_id": "0196a1f0-7c1e-7000-8000-000000000000" });
    let answer = api.write(Method::PATCH, &path, &salon.admin, Some(&unknown)).await;
    assert_eq!((brief(&answer), answer.faults().len()), ((422, "unprocessable"), 1));
}
