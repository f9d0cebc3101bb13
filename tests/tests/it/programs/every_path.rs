//! The feed contains every change of the history, whichever path wrote it: a page, a link of a mail, the API.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::test_hooks::until_readable;
use crate::pages::{ADA, Booking, Salon, salon, target};

const NINE: &str = "20270504T0700Z";

/// The whole feed.
async fn feed(salon: &Salon) -> Vec<Value> {
    until_readable(salon.api.database.pool()).await;
    let mut seen = Vec::new();
    let mut path = "/v1/events?limit=100".to_owned();
    loop {
        let page = salon.api.get(&path, Some(&salon.admin)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        seen.extend(page.body["data"].as_array().unwrap().clone());
        if page.body["has_more"] == false {
            return seen;
        }
        path = format!("/v1/events?limit=100&after={}", page.body["next_cursor"].as_str().unwrap());
    }
}

/// How many events of each type there are.
async fn counts(salon: &Salon) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in feed(salon).await {
        *counts.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// Types of which there are more events than before, and how many more.
fn more(before: &BTreeMap<String, usize>, after: &BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let grown = after.iter().map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
    grown.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn what_guests_do_on_pages_is_in_the_feed_as_in_the_history() {
    let salon = salon(2, json!({})).await;
    let form = Booking { salon: &salon }.hold(NINE).await;
    let booked = target(&form, &salon.submit(&form, &ADA).await);
    let manage = booked.split('?').next().unwrap();

    let list = salon.get(&format!("{manage}/move")).await;
    let link = list.between("<li><a href=\"..", "\"").replace("&amp;", "&").replace("&#x2f;", "/");
    let chosen = salon.get(&format!("/m{link}")).await;
    let fields = ["rev", "start", "staff"].map(|name| (name, chosen.field(name).to_owned()));
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(salon.submit(&format!("{manage}/move"), &fields).await.status, 303);
    let rev = salon.get(&format!("{manage}/cancel")).await.field("rev").to_owned();
    assert_eq!(salon.submit(&format!("{manage}/cancel"), &[("rev", &rev)]).await.status, 303);

    let told: Vec<_> = feed(&salon)
        .await
        .into_iter()
        .filter(|event| event["data"]["booking"].is_object())
        .map(|event| {
            let (booking, actor) = (&event["data"]["booking"], &event["data"]["actor"]);
            json!([event["type"], booking["id"], booking["rev"], booking["status"], actor["kind"]])
        })
        .collect();
    let kept: Vec<(uuid::Uuid, i32, String, String, String)> = sqlx::query_as(
        "SELECT booking_id, rev, status::text, change, actor::text FROM booking_events
         WHERE change NOT IN ('held', 'renewed', 'released') ORDER BY at, rev",
    )
    .fetch_all(salon.api.database.pool())
    .await
    .unwrap();
    let kept: Vec<_> = kept
        .into_iter()
        .map(|(id, rev, status, change, actor)| {
            let change = if change == "booked" { "created" } else { &change };
            json!([format!("booking.{change}"), id, rev, status, actor])
        })
        .collect();
    assert_eq!(told, kept);
    let types: Vec<_> = told.iter().map(|event| event[0].as_str().unwrap()).collect();
    assert_eq!(types, ["booking.created", "booking.rescheduled", "booking.cancelled"]);
}

#[tokio::test]
async fn changes_of_people_services_staff_and_business_are_events() {
    let salon = salon(1, json!({})).await;
    let (api, admin) = (&salon.api, &salon.admin);
    let write = async |method: Method, path: &str, body: Value| {
        let answer = api.write(method, path, admin, Some(&body)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
        answer.body
    };
    let wish = |time: &str, customer: Value| json!({ "service_id": salon.service, "start": format!("2027-05-04T{time}:00+02:00"), "contact": customer });
    let mut before = counts(&salon).await;
    let mut told = async |expected: &[(&str, usize)]| {
        let after = counts(&salon).await;
        let found = more(&before, &after);
        let found: Vec<_> = found.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(found, expected);
        before = after;
    };

    // Somebody at the desk books for two people who share an address.
    let mut customers = Vec::new();
    for (time, name) in [("09:00", "Gina"), ("10:00", "Gina L.")] {
        let customer = json!({ "name": name, "email": "gina@example.org", "new_customer": name != "Gina" });
        let made = api.create("/v1/bookings", Some(admin), &wish(time, customer)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        customers.push(made.body["customer"]["id"].as_str().unwrap().to_owned());
    }
    told(&[("booking.created", 2), ("customer.created", 2)]).await;
    let correct = format!("/v1/customers/{}", customers[1]);
    write(Method::PATCH, &correct, json!({ "email": "gina.l@example.org" })).await;
    told(&[("customer.updated", 1)]).await;
    let merge = format!("/v1/customers/{}/merge", customers[0]);
    write(Method::POST, &merge, json!({ "duplicate_id": customers[1] })).await;
    told(&[("customer.deleted", 1), ("customer.updated", 1)]).await;

    write(Method::PATCH, &format!("/v1/services/{}", salon.service), json!({ "price_minor": 5000 })).await;
    told(&[("service.updated", 1)]).await;
    write(Method::PATCH, &format!("/v1/staff/{}", salon.staff[0]), json!({ "name": "Maria" })).await;
    told(&[("staff.updated", 1)]).await;
    write(Method::PATCH, "/v1/business", json!({ "phone": "+49 30 4321" })).await;
    told(&[("business.updated", 1)]).await;
    // A booking locks the calendar of its member of staff and changes nothing else of them.
    let own = json!({ "service_id": salon.service, "start": "2027-05-04T11:00:00+02:00" });
    let made = api.create("/v1/bookings", Some(&salon.customer), &own).await;
    assert_eq!(made.status, 201, "{}", made.body);
    told(&[("booking.created", 1), ("customer.created", 1)]).await;
}
