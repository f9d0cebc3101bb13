//! Several seats of a class in one booking, over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Salon, brief};

#[tokio::test]
async fn a_party_holds_books_and_changes_its_seats() {
    let salon = Salon::open(1).await;
    let (api, admin) = (&salon.api, &salon.admin);
    let path = format!("/v1/services/{}", salon.service);
    let request = api.request(Method::PATCH, &path).header("if-match", "*").bearer_auth(&admin.access);
    let patched = api.send(request.json(&json!({ "capacity": 5 }))).await;
    assert_eq!(patched.status, 200, "{}", patched.body);

    let customer = api.somebody("customer").await;
    let wish = |seats: u32| {
        let mut wish = salon.wish("09:00");
        wish["seats"] = json!(seats);
        wish
    };
    let held = api.create("/v1/holds", Some(&customer), &wish(3)).await;
    assert_eq!((held.status.as_u16(), &held.body["seats"]), (201, &json!(3)), "{}", held.body);
    let with_slot = json!({ "hold_id": held.body["id"], "seats": 3 });
    assert_eq!(
        api.create("/v1/bookings", Some(&customer), &with_slot).await.faults(),
        ["body /hold_id conflict"]
    );
    let booked =
        api.create("/v1/bookings", Some(&customer), &json!({ "hold_id": held.body["id"] })).await.body;
    assert_eq!((&booked["seats"], &booked["service"]["price"]["minor"]), (&json!(3), &json!(13_500)));

    let slots = async |seats: u32| {
        let path =
            format!("/v1/slots?service_id={}&from=2027-05-04&to=2027-05-04&seats={seats}", salon.service);
        let list = api.get(&path, None).await.body;
        let slot =
            |slot: &Value| (slot["start"].as_str().unwrap()[11..16].to_owned(), slot["seats_left"].clone());
        list["days"][0]["slots"].as_array().unwrap().iter().map(slot).collect::<Vec<_>>()
    };
    assert!(slots(2).await.contains(&("09:00".to_owned(), json!(2))));
    assert!(!slots(3).await.iter().any(|(start, _)| start == "09:00"));
    assert_eq!(slots(6).await, []);

    let second = api.create("/v1/bookings", Some(&customer), &wish(3)).await;
    assert_eq!(brief(&second), (409, "slot_taken"));
    let none = api.create("/v1/bookings", Some(&customer), &wish(6)).await;
    assert_eq!(none.faults(), ["body /seats out_of_range"], "{}", none.body);

    let path = format!("/v1/bookings/{}", booked["id"].as_str().unwrap());
    let request = api.request(Method::PATCH, &path).header("if-match", "1").bearer_auth(&admin.access);
    let fewer = api.send(request.json(&json!({ "seats": 1 }))).await;
    assert_eq!(fewer.status, 412, "If-Match is needed as for other changes: {}", fewer.body);
    let rev = booked["rev"].to_string();
    let request = api.request(Method::PATCH, &path).header("if-match", &rev).bearer_auth(&admin.access);
    let more = api.send(request.json(&json!({ "seats": 5 }))).await.body;
    assert_eq!((&more["seats"], &more["service"]["price"]["minor"]), (&json!(5), &json!(22_500)), "{more}");
    let table = api.get("/v1/bookings.csv", Some(admin)).await;
    let table = table.body.as_str().unwrap();
    assert!(table.contains(",for_whom,seats,price_minor,") && table.contains(",5,22500,EUR,"), "{table}");
    let report = api.get("/v1/reports/month?month=2027-05", Some(admin)).await.body;
    assert_eq!(report["revenue"], json!([{ "minor": 22_500, "currency": "EUR" }]), "{report}");
}
