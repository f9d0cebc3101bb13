//! Rooms and equipment over HTTP.

use reqwest::Method;
use serde_json::json;

use super::{Salon, brief};

#[tokio::test]
async fn an_administrator_sets_up_rooms_and_a_slot_without_one_is_not_offered() {
    let salon = Salon::open(2).await;
    let api = &salon.api;
    let admin = Some(&salon.admin);
    let new = json!({ "name": "Room 1", "kind": "Treatment room" });
    let room = api.create("/v1/resources", admin, &new).await;
    assert_eq!(room.status, 201, "{}", room.body);
    let id = room.body["id"].as_str().unwrap();
    assert_eq!((room.header("location"), room.header("etag")), (&*format!("/v1/resources/{id}"), "W/\"1\""));
    assert_eq!(api.get("/v1/resources", admin).await.body["data"], json!([room.body]));
    assert_eq!(api.get(&format!("/v1/resources/{id}"), admin).await.body, room.body);

    let needs = format!("/v1/services/{}/resources", salon.service);
    let none = api.get(&needs, admin).await;
    assert_eq!((&none.body["all"], &none.body["any"]), (&json!([]), &json!([])));
    let put = async |rev: &str, body: serde_json::Value| {
        let request =
            api.request(Method::PUT, &needs).header("if-match", rev).bearer_auth(&salon.admin.access);
        api.send(request.json(&body)).await
    };
    let unknown = put("*", json!({ "any": ["Sauna"] })).await;
    assert_eq!(
        (brief(&unknown), unknown.faults()),
        ((422, "unprocessable"), vec!["body /any unknown_kind".to_owned()])
    );
    let stale = put("\"9\"", json!({ "any": ["Treatment room"] })).await;
    assert_eq!(brief(&stale), (412, "precondition_failed"));
    let done = put(none.header("etag"), json!({ "any": ["Treatment room"] })).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.body["any"], json!(["Treatment room"]));

    assert_eq!(salon.starts().await.first().map(String::as_str), Some("09:00"));
    let booked = salon.book(&salon.admin, "09:00").await;
    let used = api.get(&format!("{booked}/resources"), admin).await;
    assert_eq!(used.body["data"][0], json!({ "id": id, "name": "Room 1", "kind": "Treatment room" }));
    let starts = salon.starts().await;
    assert!(
        !starts.contains(&"09:00".to_owned()),
        "the second member of staff is free, the room is not: {starts:?}"
    );
    let taken = api.create("/v1/bookings", admin, &salon.wish("09:00")).await;
    assert_eq!(brief(&taken), (409, "slot_taken"));
    assert_eq!(taken.body["blocked_by"], json!({ "kind": "Treatment room" }));

    let outage = json!({ "start": "2027-05-04T00:00:00+02:00", "end": "2027-05-05T00:00:00+02:00", "reason": "Painting" });
    let path = format!("/v1/resources/{id}/outages");
    let add = async || {
        let request = api.request(Method::POST, &path).header("idempotency-key", "painting").json(&outage);
        api.send(request.bearer_auth(&salon.admin.access)).await
    };
    let out = add().await;
    assert_eq!((out.status.as_u16(), out.header("idempotency-replayed")), (201, ""), "{}", out.body);
    let again = add().await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.body["outage"], out.body["outage"]);
    assert_eq!(Salon::stranded(&out), ["09:00"]);
    assert_eq!(out.body["stranded"][0]["reasons"], json!(["resource_unavailable"]));
    assert!(salon.starts().await.is_empty());
    let listed = api.get(&path, admin).await;
    assert_eq!(listed.body["data"], json!([out.body["outage"]]));
    let one = format!("{path}/{}", out.body["outage"]["id"].as_str().unwrap());
    assert_eq!(api.write(Method::DELETE, &one, &salon.admin, None).await.status, 204);
    assert_eq!(brief(&api.write(Method::DELETE, &one, &salon.admin, None).await), (404, "not_found"));

    let path = format!("/v1/resources/{id}");
    let off = json!({ "active": false });
    let request =
        api.request(Method::PATCH, &path).header("if-match", "\"1\"").bearer_auth(&salon.admin.access);
    let changed = api.send(request.json(&off)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!((&changed.body["resource"]["active"], changed.header("etag")), (&json!(false), "W/\"2\""));
    assert_eq!(Salon::stranded(&changed), ["09:00"]);
    let backwards = json!({ "start": "2027-05-05T00:00:00+02:00", "end": "2027-05-04T00:00:00+02:00" });
    let backwards = api.post(&format!("{path}/outages"), admin, &backwards).await;
    assert_eq!(backwards.faults(), ["body /end out_of_range"]);
}
