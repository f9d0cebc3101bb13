//! Erasure of a customer by staff.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::dump::Dump;
use crate::api::salon::{Salon, brief};

const ALAN: [&str; 4] = ["alan@bletchley.example", "Alan Turing", "+44 9876 543", "wears headphones"];

#[tokio::test]
async fn nothing_is_left_of_a_customer_whom_staff_erase() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let maria = api.somebody("staff").await;
    let mut wish = salon.wish("09:00");
    wish["contact"] = json!({ "name": ALAN[1], "email": ALAN[0], "phone": ALAN[2] });
    wish["staff_note"] = json!(ALAN[3]);
    let booked = api.create("/v1/bookings", Some(&maria), &wish).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    let customer = format!("/v1/customers/{}", booked.body["customer"]["id"].as_str().unwrap());
    let booking = format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap());

    let standing = api.write(Method::DELETE, &customer, &maria, None).await;
    assert_eq!(brief(&standing), (409, "has_bookings"));
    assert_eq!(standing.body["booking_ids"], json!([booked.body["id"]]));
    assert_eq!(api.change(&format!("{booking}/cancel"), &maria, "*", None).await.status, 200);
    assert_eq!(Dump::of(api.database.pool()).await.left_of(&ALAN).len(), ALAN.len());

    assert_eq!(api.write(Method::DELETE, &customer, &maria, None).await.status, 204);
    assert_eq!(Dump::of(api.database.pool()).await.left_of(&ALAN), []);
    assert_eq!(
        api.count("notifications WHERE outcome IS NULL AND booking_id IS NOT NULL AND NOT to_staff").await,
        0,
        "the mail about the cancellation is called off too"
    );
    assert_eq!(api.count("queue.jobs JOIN notifications n ON n.id::text = unique_key WHERE recipient IS NULL AND state <> 'cancelled'").await, 0);
    let erased = api.get(&customer, Some(&maria)).await.body;
    assert_eq!((&erased["name"], &erased["email"]), (&Value::Null, &Value::Null));
    assert_eq!(api.get("/v1/customers", Some(&maria)).await.body["data"], json!([]));

    assert_eq!(api.write(Method::DELETE, &customer, &maria, None).await.status, 204, "twice is once");
    let nobody = "/v1/customers/0196a1f0-7c1e-7000-8000-000000000000";
    assert_eq!(brief(&api.write(Method::DELETE, nobody, &maria, None).await), (404, "not_found"));
    let mut wish = salon.wish("10:00");
    wish["customer_id"] = booked.body["customer"]["id"].clone();
    let refused = api.create("/v1/bookings", Some(&maria), &wish).await;
    assert_eq!(brief(&refused), (404, "not_found"), "nobody books for the erased");
}

#[tokio::test]
async fn an_account_whose_customer_was_erased_books_again_as_a_new_one() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    let path = salon.book(&ada, "09:00").await;
    let first = api.get(&path, Some(&ada)).await.body["customer"]["id"].clone();
    assert_eq!(api.change(&format!("{path}/cancel"), &ada, "*", None).await.status, 200);
    let erased = format!("/v1/customers/{}", first.as_str().unwrap());
    assert_eq!(api.write(Method::DELETE, &erased, &salon.admin, None).await.status, 204);
    assert_eq!(brief(&api.get(&path, Some(&ada)).await), (404, "not_found"), "it is nobody's now");

    api.clock.advance(TimeDelta::minutes(1));
    let path = salon.book(&ada, "09:00").await;
    let second = &api.get(&path, Some(&ada)).await.body["customer"];
    assert_ne!(second["id"], first);
    assert_eq!(second["name"], "Ada Lovelace");
}
