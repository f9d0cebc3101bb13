//! Timetables and whole classes, hours from a date on, closures of ranges and public holidays, over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use super::test_api::Session;
use super::{Answer, Salon, brief};

async fn with_rev(salon: &Salon, method: Method, path: &str, rev: &str, body: Option<Value>) -> Answer {
    let request = salon.api.request(method, path).header("if-match", rev).bearer_auth(&salon.admin.access);
    salon.api.send(if let Some(body) = body { request.json(&body) } else { request }).await
}

/// A class of five on Tuesdays at ten; its path.
async fn class(salon: &Salon) -> String {
    let path = format!("/v1/services/{}", salon.service);
    assert_eq!(with_rev(salon, Method::PATCH, &path, "*", Some(json!({ "capacity": 5 }))).await.status, 200);
    let timetable = format!("{path}/timetable");
    let read = salon.api.get(&timetable, None).await;
    assert_eq!(read.body, json!({ "windows": [], "dates": [], "rev": 2 }));
    let window =
        json!({ "staff_id": salon.staff[0], "weekday": 2, "start": "10:00", "valid_from": "2027-05-04" });
    let body = json!({ "windows": [window] });
    let request = salon.api.request(Method::PUT, &timetable).bearer_auth(&salon.admin.access).json(&body);
    assert_eq!(brief(&salon.api.send(request).await), (428, "precondition_required"));
    let stale = with_rev(salon, Method::PUT, &timetable, "1", Some(body.clone())).await;
    assert_eq!(brief(&stale), (412, "precondition_failed"));
    let put = with_rev(salon, Method::PUT, &timetable, "2", Some(body.clone())).await;
    assert_eq!(
        (put.status.as_u16(), &put.body["timetable"]["windows"]),
        (200, &body["windows"]),
        "{}",
        put.body
    );
    assert_eq!(put.header("etag"), "W/\"3\"");
    timetable
}

async fn write(salon: &Salon, session: &Session, path: &str, body: Value) -> Answer {
    salon.api.post(path, Some(session), &body).await
}

#[tokio::test]
async fn the_front_desk_moves_and_calls_off_a_class_of_the_timetable() {
    let salon = Salon::open(1).await;
    let timetable = class(&salon).await;
    assert_eq!(salon.starts().await, ["10:00"]);
    let api = &salon.api;
    let (ada, desk) = (api.somebody("customer").await, api.somebody("front_desk").await);
    let mut wish = salon.wish("10:00");
    wish["seats"] = json!(2);
    assert_eq!(api.create("/v1/bookings", Some(&ada), &wish).await.status, 201);
    let listed = api.get("/v1/classes?from=2027-05-04&to=2027-05-11", Some(&desk)).await.body;
    let brief_of =
        |class: &Value| (class["start"].clone(), class["seats_taken"].clone(), class["capacity"].clone());
    let classes: Vec<_> = listed["data"].as_array().unwrap().iter().map(brief_of).collect();
    let at = |day: u32, time: &str| json!(format!("2027-05-{day:02}T{time}:00+02:00"));
    assert_eq!(classes, [(at(4, "10:00"), json!(2), json!(5)), (at(11, "10:00"), json!(0), json!(5))]);
    assert_eq!(listed["data"][0]["participants"][0]["seats"], 2);

    let which =
        |time| json!({ "service_id": salon.service, "staff_id": salon.staff[0], "start": at(4, time) });
    let mut to = which("10:00");
    to["to_start"] = at(4, "10:30");
    to["message"] = json!("Half an hour later");
    assert_eq!(brief(&write(&salon, &ada, "/v1/classes/move", to.clone()).await), (403, "forbidden"));
    let moved = write(&salon, &desk, "/v1/classes/move", to.clone()).await;
    assert_eq!(
        (moved.status.as_u16(), &moved.body["data"][0]["start"]),
        (200, &at(4, "10:30")),
        "{}",
        moved.body
    );
    let again = write(&salon, &desk, "/v1/classes/move", to).await;
    assert_eq!(brief(&again), (404, "not_found"), "nobody takes part at ten any more");
    assert_eq!(salon.starts().await, ["10:30"]);
    let cancelled = write(&salon, &desk, "/v1/classes/cancel", which("10:30")).await;
    assert_eq!(cancelled.body["data"][0]["status"], "cancelled", "{}", cancelled.body);
    assert_eq!(salon.starts().await, [""; 0]);
    let read = api.get(&timetable, None).await.body;
    let dates = read["dates"].as_array().unwrap().iter();
    let dates: Vec<_> = dates.map(|date| (date["start"].clone(), date["takes_place"].clone())).collect();
    assert_eq!(dates, [(at(4, "10:00"), json!(false)), (at(4, "10:30"), json!(false))]);
    let bad = json!({ "windows": [{ "staff_id": uuid::Uuid::nil(), "weekday": 2, "start": "10:00",
        "valid_from": "2027-05-04" }] });
    let bad = with_rev(&salon, Method::PUT, &timetable, "*", Some(bad)).await;
    assert_eq!(bad.faults(), ["body /windows not_performed"], "{}", bad.body);
}

#[tokio::test]
async fn hours_are_set_from_a_date_on_and_read_back() {
    let salon = Salon::open(1).await;
    let path = format!("/v1/staff/{}/hours", salon.staff[0]);
    let window = |start: &str| json!({ "weekday": 2, "start": start, "end": "20:00" });
    let later = json!({ "windows": [window("14:00")], "valid_from": "2027-06-01" });
    let put = with_rev(&salon, Method::PUT, &path, "2", Some(later.clone())).await;
    let expected = json!([{ "valid_from": "2027-06-01", "windows": later["windows"] }]);
    assert_eq!((put.status.as_u16(), &put.body["later"], &put.body["rev"]), (200, &expected, &json!(3)));
    let read = salon.api.get(&path, None).await.body;
    assert_eq!((&read["windows"][0]["start"], &read["later"]), (&json!("09:00"), &expected), "{read}");
    let slots = format!("/v1/slots?service_id={}&from=2027-06-01&to=2027-06-01", salon.service);
    let slots = salon.api.get(&slots, None).await.body;
    assert_eq!(slots["days"][0]["slots"][0]["start"], "2027-06-01T14:00:00+02:00");
    let past = json!({ "windows": [], "valid_from": "2027-05-03" });
    let past = with_rev(&salon, Method::PUT, &path, "*", Some(past)).await;
    assert_eq!(past.faults(), ["body /valid_from out_of_range"], "{}", past.body);
    let removed = with_rev(&salon, Method::DELETE, &format!("{path}?valid_from=2027-06-01"), "3", None).await;
    assert_eq!((removed.status.as_u16(), &removed.body["later"]), (200, &json!([])), "{}", removed.body);
}

#[tokio::test]
async fn a_range_an_afternoon_and_public_holidays_are_closed() {
    let salon = Salon::open(1).await;
    let (api, admin) = (&salon.api, &salon.admin);
    let holidays = api.get("/v1/public-holidays?country=DE&region=DE-BE&year=2027", None).await.body;
    let day = json!({ "date": "2027-05-06", "name_en": "Ascension Day", "name_de": "Christi Himmelfahrt" });
    assert!(holidays["data"].as_array().unwrap().contains(&day), "{holidays}");
    let unknown = api.get("/v1/public-holidays?country=DE&region=DE-XX&year=2027", None).await;
    assert_eq!(unknown.faults(), ["query /region unknown_region"]);
    let unknown = api.get("/v1/public-holidays?country=GB&year=2027", None).await;
    assert_eq!(unknown.faults(), ["query /country unknown_country"]);
    let body = json!({ "closures": [
        { "date": "2027-05-06", "reason": "Christi Himmelfahrt" },
        { "date": "2027-05-10", "last_date": "2027-05-12", "reason": "Trip" },
        { "date": "2027-05-04", "start": "10:00", "end": "24:00" },
    ] });
    let closed = api.post("/v1/closures", Some(admin), &body).await;
    assert_eq!((closed.status.as_u16(), closed.body["closures"].as_array().unwrap().len()), (200, 5));
    assert_eq!(salon.starts().await, ["09:00"], "{}", closed.body);
    let listed = api.get("/v1/closures?from=2027-05-01&to=2027-05-31", None).await.body;
    assert_eq!(listed["data"][0], json!({ "date": "2027-05-04", "start": "10:00", "end": "24:00" }));
    let half = json!({ "start": "10:00" });
    let half = api.write(Method::PUT, "/v1/closures/2027-05-04", admin, Some(&half)).await;
    assert_eq!(half.faults(), ["body /end required"]);
    let ada = api.somebody("customer").await;
    assert_eq!(brief(&api.post("/v1/closures", Some(&ada), &body).await), (403, "forbidden"));
    let path = "/v1/closures?from=2027-05-01&to=2027-05-11";
    assert_eq!(api.write(Method::DELETE, path, admin, None).await.status, 204);
    let left = api.get("/v1/closures?from=2027-05-01&to=2027-05-31", None).await.body;
    assert_eq!(left["data"], json!([{ "date": "2027-05-12" }]));
}
