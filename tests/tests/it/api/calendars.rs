//! Overrides, time off, closures and a change of time zone: their effect on slots, and the bookings that no longer fit.

use reqwest::Method;
use serde_json::json;

use super::{Salon, brief};

#[tokio::test]
async fn an_override_lists_the_bookings_that_no_longer_fit() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    salon.book(&ada, "09:00").await;
    salon.book(&ada, "11:00").await;
    let date = format!("/v1/staff/{}/overrides/2027-05-04", salon.staff[0]);

    let late = json!({ "windows": [{ "start": "10:00", "end": "14:00" }] });
    let put = api.write(Method::PUT, &date, &salon.admin, Some(&late)).await;
    assert_eq!((put.status.as_u16(), Salon::stranded(&put)), (200, vec!["09:00".to_owned()]), "{}", put.body);
    assert_eq!(put.body["override"], json!({ "date": "2027-05-04", "windows": late["windows"] }));
    assert_eq!(salon.starts().await, ["10:00", "12:00", "13:00"]);
    let list = format!("/v1/staff/{}/overrides?from=2027-05-01&to=2027-05-31", salon.staff[0]);
    assert_eq!(api.get(&list, None).await.body, json!({ "data": [put.body["override"]] }));

    let closed = api.write(Method::PUT, &date, &salon.admin, Some(&json!({ "windows": [] }))).await;
    assert_eq!(Salon::stranded(&closed), ["11:00"], "the other one did not fit before either");
    assert!(salon.starts().await.is_empty());

    let back = api.write(Method::DELETE, &date, &salon.admin, None).await;
    assert_eq!((back.status.as_u16(), Salon::stranded(&back).len()), (200, 0));
    assert_eq!(salon.starts().await, ["10:00"], "the usual hours, less the bookings that were left standing");
    assert_eq!(brief(&api.write(Method::DELETE, &date, &salon.admin, None).await), (404, "not_found"));
    assert_eq!(api.get(&list, None).await.body, json!({ "data": [] }));
}

#[tokio::test]
async fn windows_of_a_date_that_overlap_are_refused() {
    let salon = Salon::open(1).await;
    let date = format!("/v1/staff/{}/overrides/2027-05-04", salon.staff[0]);
    let overlap =
        json!({ "windows": [{ "start": "10:00", "end": "14:00" }, { "start": "13:00", "end": "15:00" }] });
    let answer = salon.api.write(Method::PUT, &date, &salon.admin, Some(&overlap)).await;
    assert_eq!(
        (brief(&answer), answer.faults()),
        ((422, "unprocessable"), vec!["body /windows/1 overlap".to_owned()])
    );
    let end_of_day = json!({ "windows": [{ "start": "24:00", "end": "02:00" }] });
    let answer = salon.api.write(Method::PUT, &date, &salon.admin, Some(&end_of_day)).await;
    assert_eq!(answer.faults(), ["body /windows/0/start format"]);
    let answer = salon.api.write(Method::PUT, &format!("{date}T00"), &salon.admin, Some(&overlap)).await;
    assert_eq!(answer.faults(), ["path /date format"]);
    assert_eq!(salon.api.count("date_overrides").await, 0);
}

#[tokio::test]
async fn staff_take_time_off_for_themselves_only() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let (maria, ada) = (api.somebody("staff").await, api.somebody("customer").await);
    salon.book(&ada, "10:00").await;
    let path = format!("/v1/staff/{}/time-off", salon.staff[0]);
    let morning = json!({ "start": "2027-05-04T09:30:00+02:00", "end": "2027-05-04T10:30:00+02:00",
        "reason": "Dentist" });
    assert_eq!(brief(&api.post(&path, Some(&maria), &morning).await), (403, "forbidden"), "not her calendar");
    let me = api.get("/v1/me", Some(&maria)).await.body["id"].clone();
    let member = format!("/v1/staff/{}", salon.staff[0]);
    let linked = api.write(Method::PATCH, &member, &salon.admin, Some(&json!({ "user_id": me }))).await;
    assert_eq!((linked.status.as_u16(), &linked.body["staff"]["user_id"]), (200, &me), "{}", linked.body);

    let created = api.post(&path, Some(&maria), &morning).await;
    assert_eq!((created.status.as_u16(), Salon::stranded(&created)), (201, vec!["10:00".to_owned()]));
    let own = format!("{path}/{}", created.body["time_off"]["id"].as_str().unwrap());
    assert_eq!(created.header("location"), own);
    assert_eq!(created.body["time_off"]["reason"], "Dentist");
    assert_eq!(salon.starts().await, ["11:00"]);

    let list = |from: &str, to: &str| format!("{path}?from={from}T00:00:00Z&to={to}T00:00:00Z");
    let all = api.get(&list("2027-05-04", "2027-05-05"), Some(&salon.admin)).await;
    assert_eq!(all.body, json!({ "data": [created.body["time_off"]] }));
    assert_eq!(
        api.get(&list("2027-05-05", "2027-05-06"), Some(&salon.admin)).await.body,
        json!({ "data": [] })
    );
    let reversed = api.get(&list("2027-05-06", "2027-05-05"), Some(&salon.admin)).await;
    assert_eq!(reversed.faults(), ["query /to range_reversed"]);
    let empty = json!({ "start": "2027-05-04T10:00:00Z", "end": "2027-05-04T10:00:00Z" });
    assert_eq!(api.post(&path, Some(&maria), &empty).await.faults(), ["body /end out_of_range"]);

    assert_eq!(api.write(Method::DELETE, &own, &maria, None).await.status, 204);
    assert_eq!(salon.starts().await, ["09:00", "11:00"]);
    assert_eq!(brief(&api.write(Method::DELETE, &own, &maria, None).await), (404, "not_found"));
}

#[tokio::test]
async fn a_closure_closes_everybodys_calendar_and_its_reason_is_for_staff() {
    let salon = Salon::open(2).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    salon.book(&ada, "09:00").await;
    let closure = api
        .write(
            Method::PUT,
            "/v1/closures/2027-05-04",
            &salon.admin,
            Some(&json!({ "reason": "Works outing" })),
        )
        .await;
    assert_eq!((closure.status.as_u16(), Salon::stranded(&closure)), (200, vec!["09:00".to_owned()]));
    assert!(salon.starts().await.is_empty());
    let list = "/v1/closures?from=2027-01-01&to=2027-12-31";
    assert_eq!(api.get(list, Some(&ada)).await.body, json!({ "data": [{ "date": "2027-05-04" }] }));
    let for_staff = api.get(list, Some(&salon.admin)).await;
    assert_eq!(for_staff.body["data"][0]["reason"], "Works outing");
    let answer = api.get("/v1/closures?from=2027-01-01&to=2028-01-02", None).await;
    assert_eq!(answer.faults(), ["query /to range_too_long"]);
    assert_eq!(api.write(Method::DELETE, "/v1/closures/2027-05-04", &salon.admin, None).await.status, 204);
    assert_eq!(salon.starts().await.len(), 3);
    let again = api.write(Method::DELETE, "/v1/closures/2027-05-04", &salon.admin, None).await;
    assert_eq!(brief(&again), (404, "not_found"));
}

#[tokio::test]
async fn in_another_zone_the_same_hours_begin_at_other_instants() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let ada = api.somebody("customer").await;
    salon.book(&ada, "09:00").await;
    salon.book(&ada, "10:00").await;
    let change = async |body| api.write(Method::PATCH, "/v1/business", &salon.admin, Some(&body)).await;

    let named = change(json!({ "name": "Salon Ada", "notify_address": "desk@example.org" })).await;
    assert_eq!((named.status.as_u16(), Salon::stranded(&named).len()), (200, 0), "{}", named.body);
    assert_eq!(named.body["business"]["notify_address"], "desk@example.org");

    // 09:00 in Berlin is 08:00 in London, where it opens at 09:00; 10:00 in Berlin still fits.
    let moved = change(json!({ "zone": "Europe/London", "notify_address": null })).await;
    assert_eq!((moved.status.as_u16(), Salon::stranded(&moved)), (200, vec!["08:00".to_owned()]));
    assert_eq!(moved.body["stranded"][0]["start"], "2027-05-04T08:00:00+01:00");
    let business = api.get("/v1/business", None).await;
    assert_eq!(business.body["zone"], "Europe/London");
    assert!(business.body.get("reply_to").is_none(), "addresses are for administrators");
    assert_eq!(api.get("/v1/business", Some(&salon.admin)).await.body, moved.body["business"]);
    assert!(moved.body["business"].get("notify_address").is_none());
    assert_eq!(salon.starts().await, ["10:00", "11:00"], "09:00 in London is the booking of 10:00 in Berlin");
    let booked = api.get("/v1/bookings", Some(&ada)).await;
    assert_eq!(booked.body["data"][0]["start"], "2027-05-04T09:00:00+02:00", "as it was promised");
}
