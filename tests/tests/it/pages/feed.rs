//! `/f/{token}.ics` and `GET /v1/bookings/{id}/calendar.ics`

use icalendar::{Calendar, Component};
use reqwest::Method;
use serde_json::json;

use super::test_pages::Salon;

/// UID, SEQUENCE, STATUS, DTSTART and title of each entry.
fn entries(text: &str) -> Vec<String> {
    let calendar: Calendar = text.parse().unwrap();
    let line = |component: &icalendar::CalendarComponent| {
        let event = component.as_event().unwrap();
        let value = |key: &str| event.property_value(key).unwrap_or_default().to_owned();
        ["UID", "SEQUENCE", "STATUS", "DTSTART", "SUMMARY"].map(value).join(" ")
    };
    calendar.components.iter().map(line).collect()
}

#[tokio::test]
async fn a_subscribed_calendar_sees_bookings_moves_and_cancellations_and_304_between_them() {
    let salon = Salon::open(1, json!({ "name": "Haircut" })).await;
    let (one, two) = (salon.book("09:00").await, salon.book("11:00").await);
    let renew = format!("/v1/staff/{}/calendar-feed", salon.staff[0]);
    let made = salon.api.post(&renew, Some(&salon.admin), &json!(null)).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let url = made.body["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://localhost:8080").unwrap();
    assert!(path.starts_with("/f/") && path.strip_suffix(".ics").is_some());

    let feed = salon.get(path).await;
    assert_eq!((feed.status.as_u16(), feed.header("content-type")), (200, "text/calendar; charset=utf-8"));
    let line = |id: &str, rest: &str| format!("{id} {rest} Haircut – Ada Lovelace");
    let expected = [line(&one, "1 CONFIRMED 20270504T070000Z"), line(&two, "1 CONFIRMED 20270504T090000Z")];
    assert_eq!(entries(&feed.text), expected);
    let tag = feed.header("etag").to_owned();
    let again = async || salon.send(salon.request(Method::GET, path).header("if-none-match", &tag)).await;
    let known = again().await;
    assert_eq!((known.status.as_u16(), known.text.as_str(), known.header("etag")), (304, "", tag.as_str()));

    let to = json!({ "start": "2027-05-05T10:00:00+02:00" });
    let moved = salon
        .api
        .change(&format!("/v1/bookings/{one}/reschedule"), &salon.customer, "\"1\"", Some(&to))
        .await;
    assert_eq!(moved.status, 200);
    let off = salon.api.change(&format!("/v1/bookings/{two}/cancel"), &salon.customer, "\"1\"", None).await;
    assert_eq!(off.status, 200);
    let changed = again().await;
    assert_eq!(changed.status, 200);
    let expected = [line(&two, "2 CANCELLED 20270504T090000Z"), line(&one, "2 CONFIRMED 20270505T080000Z")];
    assert_eq!(entries(&changed.text), expected);

    // A new address ends the old one.
    let newer = salon.api.post(&renew, Some(&salon.admin), &json!(null)).await;
    assert_ne!(newer.body["url"], url);
    assert_eq!(salon.get(path).await.status, 404);
    assert_eq!(salon.get(path.trim_end_matches(".ics")).await.status, 404);
    let path = newer.body["url"].as_str().unwrap().strip_prefix("http://localhost:8080").unwrap();
    assert_eq!(salon.get(path).await.status, 200);
}

#[tokio::test]
async fn a_feed_is_made_by_its_owner_or_an_administrator_only() {
    let salon = Salon::open(2, json!({})).await;
    let colleague = salon.api.somebody("staff").await;
    let renew = |member: &str| format!("/v1/staff/{member}/calendar-feed");
    let ask = async |member: &str, who| {
        salon.api.post(&renew(member), Some(who), &json!(null)).await.status.as_u16()
    };
    assert_eq!(ask(&salon.staff[0], &salon.customer).await, 403);
    assert_eq!(ask(&salon.staff[0], &colleague).await, 403);
    let me = salon.api.get("/v1/me", Some(&colleague)).await.body;
    let patch = salon.api.request(Method::PATCH, &format!("/v1/staff/{}", salon.staff[0]));
    let patch =
        patch.header("if-match", "*").bearer_auth(&salon.admin.access).json(&json!({ "user_id": me["id"] }));
    assert_eq!(salon.api.send(patch).await.status, 200);
    assert_eq!(ask(&salon.staff[0], &colleague).await, 201);
    assert_eq!(ask(&salon.staff[1], &colleague).await, 403);
    assert_eq!(ask("0196f8f0-2222-7000-8000-000000000002", &salon.admin).await, 404);
}

#[tokio::test]
async fn a_booking_is_a_calendar_file_for_those_who_may_see_it() {
    let salon = Salon::open(1, json!({ "name": "Cut; colour, blow-dry" })).await;
    let id = salon.book("09:00").await;
    let path = format!("/v1/bookings/{id}/calendar.ics");
    let see = async |who: &str| salon.send(salon.request(Method::GET, &path).bearer_auth(who)).await;
    let own = see(&salon.customer.access).await;
    assert_eq!((own.status.as_u16(), own.header("content-type")), (200, "text/calendar; charset=utf-8"));
    assert!(own.text.contains("SUMMARY:Cut\\; colour\\, blow-dry – Salon"), "{}", own.text);
    assert!(see(&salon.admin.access).await.text.contains("Ada Lovelace"));
    let stranger = salon.api.somebody("customer").await;
    assert_eq!(see(&stranger.access).await.status, 404);
}
