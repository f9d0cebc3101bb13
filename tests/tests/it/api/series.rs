//! Series over HTTP.

use punctual_testkit::wait_for;
use serde_json::{Value, json};

use super::{Salon, brief};

fn weekly(salon: &Salon, time: &str, count: u32) -> Value {
    let mut wish = salon.wish(time);
    wish["every"] = json!({ "weeks": 1 });
    wish["count"] = json!(count);
    wish["contact"] = json!({ "name": "Ada Lovelace", "email": "ada@example.org" });
    wish
}

#[tokio::test]
async fn the_front_desk_books_a_series_sees_what_is_taken_and_moves_and_cancels_the_rest() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let desk = api.somebody("front_desk").await;
    let mut dry = weekly(&salon, "10:00", 3);
    dry["dry_run"] = json!(true);
    let tried = api.create("/v1/series", Some(&desk), &dry).await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    assert_eq!((&tried.body["id"], api.count("bookings").await), (&Value::Null, 0));
    let starts: Vec<_> = tried.body["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["start"].as_str().unwrap())
        .collect();
    assert_eq!(
        starts,
        ["2027-05-04T10:00:00+02:00", "2027-05-11T10:00:00+02:00", "2027-05-18T10:00:00+02:00"]
    );

    let made = api.create("/v1/series", Some(&desk), &weekly(&salon, "10:00", 3)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/series/{id}"));
    assert_eq!(made.header("etag"), "W/\"3\"");
    let series = api.get(&format!("/v1/series/{id}"), Some(&desk)).await;
    assert_eq!(series.body, made.body["series"]);
    assert_eq!((&series.body["every"], series.body["count"].as_i64()), (&json!({ "weeks": 1 }), Some(3)));
    let second = &series.body["bookings"][1];
    assert_eq!(
        second["series"],
        json!({ "id": id, "no": 2, "planned_start": "2027-05-11T10:00:00+02:00", "moved": false })
    );
    let booking = api.get(&format!("/v1/bookings/{}", second["id"].as_str().unwrap()), Some(&desk)).await;
    assert_eq!(booking.body, *second, "an ordinary booking");

    let conflict = api.create("/v1/series", Some(&desk), &weekly(&salon, "10:00", 2)).await;
    assert_eq!(brief(&conflict), (409, "series_conflict"), "{}", conflict.body);
    let occurrences = conflict.body["occurrences"].as_array().unwrap();
    assert_eq!(occurrences.len(), 2);
    assert_eq!((&occurrences[0]["code"], occurrences[0]["no"].as_i64()), (&json!("slot_taken"), Some(1)));
    assert!(!occurrences[0]["alternatives"].as_array().unwrap().is_empty());

    let path = format!("/v1/series/{id}/reschedule");
    let later = json!({ "from": 2, "start": "2027-05-11T11:00:00+02:00" });
    assert_eq!(brief(&api.post(&path, Some(&desk), &later).await), (428, "precondition_required"));
    assert_eq!(brief(&api.change(&path, &desk, "\"2\"", Some(&later)).await), (412, "precondition_failed"));
    let mut dry = later.clone();
    dry["dry_run"] = json!(true);
    let tried = api.change(&path, &desk, "\"3\"", Some(&dry)).await;
    assert_eq!((tried.status.as_u16(), tried.header("etag")), (200, ""), "{}", tried.body);
    assert_eq!(tried.body["series"]["bookings"][2]["start"], "2027-05-18T11:00:00+02:00");
    assert_eq!(
        api.get(&format!("/v1/series/{id}"), Some(&desk)).await.body,
        series.body,
        "nothing was moved"
    );
    let moved = api.change(&path, &desk, "\"3\"", Some(&later)).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    assert_eq!(moved.body["changed"].as_array().unwrap().len(), 2);
    assert_eq!(moved.body["series"]["bookings"][2]["start"], "2027-05-18T11:00:00+02:00");
    let outside = json!({ "from": 2, "start": "2027-05-11T20:00:00+02:00" });
    let outside = api.change(&path, &desk, "*", Some(&outside)).await;
    assert_eq!(brief(&outside), (409, "series_conflict"), "{}", outside.body);
    assert_eq!(outside.body["occurrences"][0]["code"], "outside_hours");

    let path = format!("/v1/series/{id}/cancel");
    let rest = json!({ "from": 2, "message": "Maria is on leave." });
    let before = api.get(&format!("/v1/series/{id}"), Some(&desk)).await.body;
    let tried = api.change(&path, &desk, "*", Some(&json!({ "from": 2, "dry_run": true }))).await;
    assert_eq!(tried.body["changed"].as_array().unwrap().len(), 2, "{}", tried.body);
    assert_eq!(tried.body["series"]["bookings"][1]["status"], "cancelled");
    assert_eq!(api.get(&format!("/v1/series/{id}"), Some(&desk)).await.body, before, "nothing was cancelled");
    let cancelled = api.change(&path, &desk, "*", Some(&rest)).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let statuses: Vec<_> = cancelled.body["series"]["bookings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|booking| booking["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["confirmed", "cancelled", "cancelled"]);

    // The feed waits for older transactions of the whole server, which are those of other tests.
    wait_for("all changes of the series in the feed", async || {
        let feed = api.get("/v1/events?limit=100", Some(&salon.admin)).await;
        let events = feed.body["data"].as_array().unwrap().iter();
        let of_series = events.filter(|event| event["data"]["booking"]["series_id"] == id).count();
        assert!(of_series <= 7, "{of_series}");
        (of_series == 7).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_series_is_made_by_staff_and_a_request_that_makes_no_sense_says_what_to_do() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let mut own = weekly(&salon, "10:00", 3);
    own.as_object_mut().unwrap().remove("contact");
    assert_eq!(brief(&api.create("/v1/series", Some(&ada), &own).await), (403, "forbidden"));
    assert_eq!(brief(&api.create("/v1/series", None, &own).await), (401, "unauthenticated"));
    let admin = Some(&salon.admin);
    let nobody = api.create("/v1/series", admin, &own).await;
    assert_eq!(nobody.faults(), ["body /customer_id required"], "{}", nobody.body);
    let with = |field: &str, value: Value| {
        let mut wish = weekly(&salon, "10:00", 3);
        wish[field] = value;
        wish
    };
    for (field, value, fault) in [
        ("count", json!(53), "body /count too_large"),
        ("count", json!(1), "body /count too_small"),
        ("every", json!({}), "body /every conflict"),
        ("every", json!({ "weeks": 1, "days": 1 }), "body /every conflict"),
        ("every", json!({ "months": 13 }), "body /every/months too_large"),
    ] {
        let refused = api.create("/v1/series", admin, &with(field, value.clone())).await;
        assert_eq!(refused.faults(), [fault], "{field} {value}: {}", refused.body);
    }
    assert_eq!(api.count("bookings").await, 0);
    let unknown = api.get("/v1/series/0196a1f0-7c1e-7000-8000-000000000000", admin).await;
    assert_eq!(brief(&unknown), (404, "not_found"));
}
