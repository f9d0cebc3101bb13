//! Several services in one visit over HTTP.

use punctual_testkit::wait_for;
use serde_json::{Value, json};

use super::{Salon, brief};

/// A second service of the salon, of half an hour.
async fn drying(salon: &Salon) -> String {
    let service =
        json!({ "name": "Drying", "duration_min": 30, "price_minor": 1500, "staff_ids": salon.staff });
    let service = salon.api.post("/v1/services", Some(&salon.admin), &service).await;
    assert_eq!(service.status, 201, "{}", service.body);
    service.body["id"].as_str().unwrap().to_owned()
}

fn visit(services: &[&str], time: &str) -> Value {
    let services: Vec<_> = services.iter().map(|id| json!({ "service_id": id })).collect();
    json!({ "start": format!("2027-05-04T{time}:00+02:00"), "services": services })
}

fn clock(value: &Value) -> &str {
    &value.as_str().unwrap()[11..16]
}

#[tokio::test]
async fn a_customer_sees_when_a_visit_fits_books_it_and_is_told_why_another_does_not() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let drying = drying(&salon).await;
    let path = format!(
        "/v1/visit-slots?service_id={}&service_id={drying}&from=2027-05-04&to=2027-05-05",
        salon.service
    );
    let listed = api.get(&path, None).await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    assert_eq!(
        (&listed.body["tz"], listed.body["days"].as_array().unwrap().len()),
        (&json!("Europe/Berlin"), 2)
    );
    let slots = listed.body["days"][0]["slots"].as_array().unwrap();
    let starts: Vec<_> = slots.iter().map(|slot| (clock(&slot["start"]), clock(&slot["end"]))).collect();
    assert_eq!((starts[0], *starts.last().unwrap()), (("09:00", "10:30"), ("10:00", "11:30")));
    assert_eq!(slots[0]["services"][1]["service_id"], drying);
    assert_eq!(slots[0]["services"][1]["staff_id"], salon.staff[0]);

    let ada = api.somebody("customer").await;
    let wish = visit(&[&salon.service, &drying], "09:00");
    let booked = api.create("/v1/visits", Some(&ada), &wish).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    let bookings = booked.body["bookings"].as_array().unwrap();
    assert_eq!(booked.body.as_object().unwrap().len(), 1);
    assert_eq!((clock(&bookings[1]["start"]), clock(&bookings[1]["end"])), ("10:00", "10:30"));
    for booking in bookings {
        let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
        assert_eq!(api.get(&path, Some(&ada)).await.body, *booking, "an ordinary booking");
        assert_eq!(booking["visit_id"], bookings[0]["id"]);
    }
    // The feed waits for older transactions of the whole server, which are those of other tests.
    wait_for("both bookings in the feed", async || {
        let feed = api.get("/v1/events?limit=100", Some(&salon.admin)).await;
        let events = feed.body["data"].as_array().unwrap().iter();
        let created = events.filter(|event| event["type"] == "booking.created").count();
        assert!(created <= 2, "{created}");
        (created == 2).then_some(())
    })
    .await;

    let bob = api.somebody("customer").await;
    let refused = api.create("/v1/visits", Some(&bob), &visit(&[&drying, &salon.service], "09:00")).await;
    assert_eq!(brief(&refused), (409, "visit_conflict"), "{}", refused.body);
    assert_eq!(refused.body["conflict"], json!({ "no": 1, "service_id": drying, "code": "slot_taken" }));
    assert_eq!(refused.body["detail"], "Service 1 of the visit has no place: slot_taken.");
    let near = refused.body["visits"].as_array().unwrap();
    assert_eq!(clock(&near[0]["start"]), "10:30");
    let next = visit(&[&drying, &salon.service], "10:30");
    assert_eq!(api.create("/v1/visits", Some(&bob), &next).await.status, 201);
    let late = api.create("/v1/visits", Some(&bob), &visit(&[&drying, &salon.service], "11:30")).await;
    assert_eq!(late.body["conflict"]["code"], "slot_taken", "{}", late.body);
}

#[tokio::test]
async fn the_front_desk_and_guests_book_visits_and_what_makes_no_sense_is_refused() {
    let salon = Salon::open(2).await;
    let api = &salon.api;
    let drying = drying(&salon).await;
    let desk = api.somebody("front_desk").await;
    let with = |time: &str, field: &str, value: Value| {
        let mut wish = visit(&[&salon.service, &drying], time);
        wish[field] = value;
        wish
    };
    let ada = json!({ "name": "Ada Lovelace", "email": "ada@example.org" });
    let mut odd = with("07:10", "contact", ada.clone());
    odd["override"] = json!(true);
    odd["services"][1]["staff_id"] = json!(salon.staff[1]);
    let booked = api.create("/v1/visits", Some(&desk), &odd).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    assert_eq!(booked.body["bookings"][1]["staff"]["id"], salon.staff[1]);
    let guest = with("09:00", "contact", ada);
    assert_eq!(brief(&api.create("/v1/visits", None, &guest).await), (401, "unauthenticated"));
    salon.allow_guests().await;
    let booked = api.create("/v1/visits", None, &guest).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    let admin = Some(&salon.admin);
    for (field, value, fault) in [
        ("services", json!([]), "body /services too_few"),
        ("services", json!(vec![json!({ "service_id": drying }); 6]), "body /services too_many"),
        ("services", json!([{}]), "body /services/0/service_id required"),
    ] {
        let refused = api.create("/v1/visits", admin, &with("10:00", field, value)).await;
        assert_eq!(refused.faults(), [fault], "{}", refused.body);
    }
    let base = format!("/v1/visit-slots?service_id={drying}");
    for (rest, fault) in [
        ("&from=2027-05-04&to=2027-05-11", "query /to range_too_long"),
        ("&from=2027-05-04&to=2027-05-03", "query /to range_reversed"),
        (
            "&from=2027-05-04&to=2027-05-04&staff_id=00000000-0000-0000-0000-000000000000&staff_id=00000000-0000-0000-0000-000000000000",
            "query /staff_id conflict",
        ),
    ] {
        let refused = api.get(&format!("{base}{rest}"), None).await;
        assert_eq!(
            (refused.status.as_u16(), refused.faults()),
            (400, vec![fault.to_owned()]),
            "{}",
            refused.body
        );
    }
    let of_one = format!("{base}&from=2027-05-04&to=2027-05-04&staff_id={}", salon.staff[0]);
    let listed = api.get(&of_one, None).await;
    let slots = listed.body["days"][0]["slots"].as_array().unwrap();
    assert!(!slots.is_empty() && slots.iter().all(|slot| slot["services"][0]["staff_id"] == salon.staff[0]));
    let of_nobody = format!("{base}&from=2027-05-04&to=2027-05-04&staff_id={drying}");
    assert_eq!(brief(&api.get(&of_nobody, None).await), (404, "not_found"));
}
