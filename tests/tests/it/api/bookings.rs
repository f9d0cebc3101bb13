//! From free slots to a cancelled booking.

use punctual_testkit::wait_for;
use serde_json::{Value, json};

use super::{Salon, brief};
use crate::api::test_api::Session;

#[tokio::test]
async fn a_customer_books_moves_and_cancels() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    assert_eq!(salon.starts().await, ["09:00", "10:00", "11:00"]);

    let booked = api.create("/v1/bookings", Some(&ada), &salon.wish("10:00")).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    let path = format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap());
    assert_eq!((booked.header("etag"), booked.header("location")), ("W/\"1\"", path.as_str()));
    assert_eq!(booked.body["status"], "confirmed");
    assert_eq!(booked.body["start"], "2027-05-04T10:00:00+02:00");
    assert_eq!(booked.body["service"]["price"], json!({ "minor": 4500, "currency": "EUR" }));
    assert_eq!(salon.starts().await, ["09:00", "11:00"]);
    assert_eq!(api.get(&path, Some(&ada)).await.body, booked.body);

    let to = json!({ "start": "2027-05-04T11:00:00+02:00" });
    let reschedule = format!("{path}/reschedule");
    assert_eq!(brief(&api.post(&reschedule, Some(&ada), &to).await), (428, "precondition_required"));
    assert_eq!(brief(&api.change(&reschedule, &ada, "\"7\"", Some(&to)).await), (412, "precondition_failed"));
    assert_eq!(brief(&api.change(&reschedule, &ada, "7", Some(&to)).await), (412, "precondition_failed"));
    assert_eq!(brief(&api.change(&reschedule, &ada, "seven", Some(&to)).await), (400, "invalid_request"));
    let moved = api.change(&reschedule, &ada, "W/\"1\"", Some(&to)).await;
    assert_eq!((moved.status.as_u16(), moved.body["rev"].as_i64()), (200, Some(2)), "{}", moved.body);
    assert_eq!(salon.starts().await, ["09:00", "10:00"]);

    let cancelled = api.change(&format!("{path}/cancel"), &ada, "*", None).await;
    assert_eq!((cancelled.status.as_u16(), cancelled.body["status"].as_str()), (200, Some("cancelled")));
    let again = api.change(&format!("{path}/cancel"), &ada, "*", None).await;
    assert_eq!(
        (again.status.as_u16(), &again.body),
        (200, &cancelled.body),
        "cancelling twice changes nothing"
    );
    assert_eq!(salon.starts().await, ["09:00", "10:00", "11:00"]);
    let late = api.change(&reschedule, &ada, "*", Some(&to)).await;
    assert_eq!((brief(&late), &late.body["allowed"]), ((409, "invalid_transition"), &json!([])));

    let events = api.get(&format!("{path}/events"), Some(&ada)).await;
    let changes: Vec<_> =
        events.body["data"].as_array().unwrap().iter().map(|event| event["rev"].clone()).collect();
    assert_eq!(changes, [1, 2, 3]);
    let mails = api.get(&format!("{path}/notifications"), Some(&ada)).await;
    let kinds: Vec<_> =
        mails.body["data"].as_array().unwrap().iter().map(|mail| mail["kind"].clone()).collect();
    assert!(
        kinds.contains(&json!("confirmation")) && kinds.contains(&json!("cancellation")),
        "{}",
        mails.body
    );
}

#[tokio::test]
async fn staff_change_a_booking_in_place_and_nobody_overwrites_what_they_have_not_read() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let path = salon.book(&ada, "10:00").await;
    let edit = async |session: &Session, rev: Option<&str>, body: &Value| {
        let request = api.request(reqwest::Method::PATCH, &path).bearer_auth(&session.access).json(body);
        let request = if let Some(rev) = rev { request.header("if-match", rev) } else { request };
        api.send(request).await
    };
    let note = json!({ "staff_note": "Allergic to nuts" });
    assert_eq!(brief(&edit(&ada, Some("*"), &note).await), (403, "forbidden"));
    assert_eq!(brief(&edit(&salon.admin, None, &note).await), (428, "precondition_required"));
    let noted = edit(&salon.admin, Some("1"), &note).await;
    assert_eq!((noted.status.as_u16(), noted.header("etag")), (200, "W/\"2\""), "{}", noted.body);
    let longer = json!({ "duration_min": 75, "staff_note": "Long hair", "notify": false });
    assert_eq!(brief(&edit(&salon.admin, Some("1"), &longer).await), (412, "precondition_failed"));
    let changed = edit(&salon.admin, Some("2"), &longer).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.body["end"], "2027-05-04T11:15:00+02:00");
    assert_eq!(changed.body["staff_note"], "Long hair");
    assert_eq!(api.get(&path, Some(&salon.admin)).await.body, changed.body);
    let refused = edit(&salon.admin, Some("*"), &json!({ "duration_min": 180 })).await;
    assert_eq!(brief(&refused), (422, "outside_hours"));
    // The feed waits for older transactions of the whole server, which are those of other tests.
    wait_for("both changes in the feed", async || {
        let events = api.get("/v1/events", Some(&salon.admin)).await;
        let events = events.body["data"].as_array().unwrap().iter();
        let updated = events.filter(|event| event["type"] == "booking.updated").count();
        assert!(updated <= 2, "{updated}");
        (updated == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_another_body_is_refused() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let post = async |body: &Value| {
        let request = api.request(reqwest::Method::POST, "/v1/bookings").header("idempotency-key", "one");
        api.send(request.bearer_auth(&ada.access).json(body)).await
    };
    let wish = salon.wish("10:00");
    let (first, second) = futures::join!(post(&wish), post(&wish));
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "{} {}", first.body, second.body);
    assert_eq!(first.body, second.body);
    let replayed = [&first, &second].map(|answer| answer.header("idempotency-replayed") == "true");
    assert_eq!(replayed.iter().filter(|replayed| **replayed).count(), 1);
    assert_eq!(brief(&post(&salon.wish("11:00")).await), (422, "idempotency_key_reused"));
    assert_eq!(api.count("bookings").await, 1);
    assert_eq!(api.count("notifications WHERE kind = 'confirmation'").await, 1);
}

#[tokio::test]
async fn sixteen_want_one_slot_and_one_gets_it() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let wish = salon.wish("10:00");
    let answers =
        futures::future::join_all((0..16).map(|_| api.create("/v1/bookings", Some(&ada), &wish))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(refused.code(), "slot_taken");
    let alternatives = refused.body["alternatives"].as_array().unwrap();
    let starts: Vec<_> = alternatives.iter().map(|slot| slot["start"].as_str().unwrap()).collect();
    assert_eq!(starts.len(), 3, "{}", refused.body);
    assert!(starts.contains(&"2027-05-04T09:00:00+02:00") && starts.contains(&"2027-05-04T11:00:00+02:00"));
    assert_eq!(api.count("notifications WHERE kind = 'confirmation'").await, 1);
}

#[tokio::test]
async fn a_start_that_is_no_slot_is_refused_by_its_reason() {
    let salon = Salon::open(1).await;
    let ada = salon.api.somebody("customer").await;
    for (start, code) in [
        ("2027-05-03T07:00:00+02:00", "start_in_past"),
        ("2027-05-04T09:30:00+02:00", "off_grid"),
        ("2027-05-04T12:00:00+02:00", "outside_hours"),
        ("2028-05-02T09:00:00+02:00", "too_far"),
    ] {
        let body = json!({ "service_id": salon.service, "start": start });
        let answer = salon.api.create("/v1/bookings", Some(&ada), &body).await;
        assert_eq!(brief(&answer), (422, code), "{start}");
    }
    assert_eq!(salon.api.count("bookings").await, 0);
}

#[tokio::test]
async fn customers_see_their_own_bookings_and_staff_see_all() {
    let salon = Salon::open(2).await;
    let api = &salon.api;
    let (ada, eve, maria) =
        (api.somebody("customer").await, api.somebody("customer").await, api.somebody("staff").await);
    for time in ["09:00", "10:00", "11:00"] {
        assert_eq!(api.create("/v1/bookings", Some(&ada), &salon.wish(time)).await.status, 201);
    }
    let eves = api.create("/v1/bookings", Some(&eve), &salon.wish("09:00")).await;
    let path = format!("/v1/bookings/{}", eves.body["id"].as_str().unwrap());
    assert_eq!(brief(&api.get(&path, Some(&ada)).await), (404, "not_found"), "not even that it exists");
    assert_eq!(brief(&api.change(&format!("{path}/cancel"), &ada, "*", None).await), (404, "not_found"));
    assert_eq!(api.get(&path, Some(&maria)).await.status, 200);

    let total = async |session: &Session| {
        api.get("/v1/bookings", Some(session)).await.body["data"].as_array().unwrap().len()
    };
    assert_eq!((total(&ada).await, total(&eve).await, total(&maria).await), (3, 1, 4));

    let mut seen = Vec::new();
    let mut path = "/v1/bookings?limit=2".to_owned();
    loop {
        let page = api.get(&path, Some(&maria)).await.body;
        seen.extend(page["data"].as_array().unwrap().iter().map(|booking| booking["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/bookings?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 4);
    seen.dedup();
    assert_eq!(seen.len(), 4, "no booking is on two pages");
    let one = api
        .get(&format!("/v1/bookings?staff_id={}&status=confirmed", salon.staff[0]), Some(&salon.admin))
        .await;
    assert!(
        one.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|booking| booking["staff"]["id"] == salon.staff[0].as_str())
    );
}

#[tokio::test]
async fn slots_that_have_not_changed_are_not_sent_again() {
    let salon = Salon::open(1).await;
    let path = format!("/v1/slots?service_id={}&from=2027-05-04&to=2027-05-05", salon.service);
    let first = salon.api.get(&path, None).await;
    assert_eq!(first.body["tz"], "Europe/Berlin");
    assert_eq!(first.body["days"][1], json!({ "date": "2027-05-05", "slots": [] }), "empty days are listed");
    let again = |tag: String| salon.api.request(reqwest::Method::GET, &path).header("if-none-match", tag);
    let etag = first.header("etag").to_owned();
    let same = salon.api.send(again(etag.clone())).await;
    assert_eq!((same.status.as_u16(), same.header("etag")), (304, etag.as_str()));
    assert!(same.body.is_null());
    let ada = salon.api.somebody("customer").await;
    assert_eq!(salon.api.create("/v1/bookings", Some(&ada), &salon.wish("10:00")).await.status, 201);
    assert_eq!(salon.api.send(again(etag)).await.status, 200);
}
