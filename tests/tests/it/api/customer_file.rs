//! Customers as a file: people without an address, notes, phone numbers, visits.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::test_api::Session;
use super::{Salon, brief};

async fn german(salon: &Salon) -> Session {
    let country = json!({ "country": "DE", "guests_allowed": true });
    let changed = salon.api.write(Method::PATCH, "/v1/business", &salon.admin, Some(&country)).await;
    assert_eq!((changed.status.as_u16(), &changed.body["business"]["country"]), (200, &json!("DE")));
    salon.api.somebody("staff").await
}

async fn found(salon: &Salon, session: &Session, text: &str) -> Vec<String> {
    let request = salon.api.request(Method::GET, "/v1/customers").query(&[("q", text)]);
    let page = salon.api.send(request.bearer_auth(&session.access)).await.body;
    let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
    data.iter().map(|customer| customer["name"].as_str().unwrap().to_owned()).collect()
}

const TO_CUSTOMERS: &str = "notifications WHERE NOT to_staff AND booking_id IS NOT NULL";

#[tokio::test]
async fn somebody_without_an_address_is_booked_by_phone_and_mails_begin_with_the_address() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let maria = german(&salon).await;
    let book = async |time: &str, session: Option<&Session>, contact: Value| {
        let mut wish = salon.wish(time);
        wish["contact"] = contact;
        wish["for_whom"] = json!("Max, her grandson");
        api.create("/v1/bookings", session, &wish).await
    };
    let erna = json!({ "name": "Erna Alt", "phone": "030 1234567" });
    assert_eq!(book("09:00", None, erna.clone()).await.faults(), ["body /contact/email required"]);
    let unreachable = book("09:00", Some(&maria), json!({ "name": "Erna Alt" })).await;
    assert_eq!(unreachable.faults(), ["body /contact/phone required"]);
    let booked = book("09:00", Some(&maria), erna).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    assert_eq!(booked.body["for_whom"], "Max, her grandson");
    assert!(booked.body["customer"].get("email").is_none(), "no mails go there");
    let again = book("10:00", Some(&maria), json!({ "name": "erna alt", "phone": "+49 30 / 1234567" })).await;
    assert_eq!(again.body["customer"]["id"], booked.body["customer"]["id"], "the same number");
    let other = book("11:00", Some(&maria), json!({ "name": "Erna Alt", "phone": "030 7654321" })).await;
    assert_ne!(other.body["customer"]["id"], booked.body["customer"]["id"], "another number");
    assert_eq!(api.count(TO_CUSTOMERS).await, 0, "nobody can be told");

    for text in ["0301234567", "030 1234567", "+49 30 123", "alt 1234567 erna", "123 45 67"] {
        assert_eq!(found(&salon, &maria, text).await, ["Erna Alt"], "{text}");
    }
    assert_eq!(found(&salon, &maria, "030 9999").await, Vec::<String>::new());
    let path = format!("/v1/customers/{}", booked.body["customer"]["id"].as_str().unwrap());
    let file = api.get(&path, Some(&maria)).await.body;
    assert_eq!(file["phone_e164"], "+49301234567");
    assert_eq!(file["visits"]["next_at"], "2027-05-04T07:00:00Z");

    let cleared = api.write(Method::PATCH, &path, &maria, Some(&json!({ "phone": null }))).await;
    assert_eq!(cleared.faults(), ["body /phone required"]);
    let reached = json!({ "email": "erna@example.org", "phone": null });
    assert_eq!(api.write(Method::PATCH, &path, &maria, Some(&reached)).await.status, 200);
    assert_eq!(
        api.count("notifications WHERE kind = 'confirmation' AND recipient = 'erna@example.org'").await,
        2
    );
    assert_eq!(
        api.count("notifications WHERE kind = 'reminder' AND recipient = 'erna@example.org'").await,
        4
    );
    assert_eq!(api.count(TO_CUSTOMERS).await, 6, "the other one still has no address");
}

#[tokio::test]
async fn staff_keep_a_file_of_a_customer_whose_note_nobody_else_reads() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let maria = german(&salon).await;
    let new = json!({ "name": "Zoë Kraus", "email": "zoe@example.org", "note": "Allergic to ammonia" });
    let made = api.create("/v1/customers", Some(&maria), &new).await;
    assert_eq!((made.status.as_u16(), &made.body["note"]), (201, &json!("Allergic to ammonia")));
    let path = made.header("location").to_owned();
    assert_eq!(api.get(&path, Some(&maria)).await.body, made.body);
    let twice = api.create("/v1/customers", Some(&maria), &new).await;
    assert_eq!(twice.faults(), ["body /email customer_exists"]);
    assert_eq!(
        api.create("/v1/customers", Some(&maria), &json!({ "name": "Nobody" })).await.faults(),
        ["body /phone required"]
    );

    let mut wish = salon.wish("09:00");
    wish["customer_id"] = made.body["id"].clone();
    let booking = api.create("/v1/bookings", Some(&maria), &wish).await.body;
    let rename =
        json!({ "name": "Zoë Krause", "phone": "0170 1234567", "note": "Allergic to ammonia, likes tea" });
    let changed = api.write(Method::PATCH, &path, &maria, Some(&rename)).await;
    assert_eq!(changed.body["phone_e164"], "+491701234567");
    let id = booking["id"].as_str().unwrap();
    let seen = api.get(&format!("/v1/bookings/{id}"), Some(&maria)).await.body;
    assert_eq!((&seen["customer"]["name"], &seen["customer"]["phone"]), (&rename["name"], &rename["phone"]));
    let feed = api.get("/v1/events", Some(&maria)).await.body;
    for shown in [seen.to_string(), feed.to_string(), booking.to_string()] {
        assert!(!shown.contains("ammonia"), "{shown}");
    }

    // She did not come; another number of hers is a duplicate.
    api.clock.advance(TimeDelta::hours(26));
    let maria = api.somebody("staff").await;
    let missed = api.change(&format!("/v1/bookings/{id}/no-show"), &maria, "*", None).await;
    assert_eq!(missed.status, 200, "{}", missed.body);
    let duplicate = json!({ "name": "Z. Krause", "phone": "0171 999", "note": "Call after five" });
    let duplicate = api.create("/v1/customers", Some(&maria), &duplicate).await.body["id"].clone();
    let merged =
        api.post(&format!("{path}/merge"), Some(&maria), &json!({ "duplicate_id": duplicate })).await.body;
    assert_eq!(merged["note"], "Allergic to ammonia, likes tea\nCall after five");
    assert_eq!((&merged["visits"]["no_shows"], &merged["phone"]), (&json!(1), &rename["phone"]));
    assert_eq!(api.write(Method::DELETE, &path, &maria, None).await.status, 204);
    let erased = api.get(&path, Some(&maria)).await.body;
    assert_eq!((&erased["note"], erased.get("phone")), (&json!(""), None));
    let late = api.write(Method::PATCH, &path, &maria, Some(&json!({ "note": "?" }))).await;
    assert_eq!(brief(&late), (404, "not_found"));
}
