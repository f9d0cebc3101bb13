//! The desk in a real browser: without scripts on a phone, by the rules of accessibility, in both languages.

use punctual_testkit::browser::{Browser, Look, browser};
use serde_json::{Value, json};

use super::account_browser::{check, faults};
use super::book_browser::{busy_salon, fits};
use super::desk::{TUESDAY, address};
use super::test_pages::Salon;
use crate::api::test_api::PASSWORD;

/// The salon's address under a name with which browsers keep cookies for secure pages.
fn url(salon: &Salon) -> String {
    salon.api.url.replace("127.0.0.1", "localhost")
}

async fn log_in(browser: &mut Browser, salon: &Salon) {
    let email = address(salon, &salon.admin).await;
    browser.open(&format!("{}/desk/login", url(salon))).await.unwrap();
    browser.fill("input[name=email]", &email).await.unwrap();
    browser.fill("input[name=password]", PASSWORD).await.unwrap();
    browser.follow("Log in").await.unwrap();
}

async fn open(browser: &mut Browser, salon: &Salon, path: &str) {
    browser.open(&format!("{}{path}", url(salon))).await.unwrap();
}

/// A Tuesday with something of everything.
async fn full_day(salon: &Salon) -> String {
    let id = salon.book("09:00").await;
    for (service, staff, start, name) in [
        (&salon.service, 0, "11:00", "Grace Hopper"),
        (&salon.service, 1, "09:30", "Alan Turing"),
        (&salon.service, 1, "10:45", "Katherine Johnson"),
    ] {
        let email = format!("{}@example.org", name.split(' ').next().unwrap().to_lowercase());
        let new = json!({ "service_id": service, "staff_id": salon.staff[staff],
            "start": format!("2027-05-04T{start}:00+02:00"), "override": true,
            "contact": { "name": name, "email": email, "phone": "+49 30 901820" } });
        let made = salon.api.create("/v1/bookings", Some(&salon.admin), &new).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
    }
    let off = json!({ "start": "2027-05-04T12:00:00+02:00", "end": "2027-05-04T13:00:00+02:00", "reason": "Dentist" });
    let path = format!("/v1/staff/{}/time-off", salon.staff[1]);
    assert_eq!(salon.api.post(&path, Some(&salon.admin), &off).await.status, 201);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_desk_keeps_the_rules_of_accessibility_and_fits() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = full_day(&salon).await;
    open(&mut browser, &salon, "/desk/login").await;
    check(&mut browser, "desk-login").await;
    log_in(&mut browser, &salon).await;
    let mut found = Vec::new();
    for (name, path) in [
        ("desk-day", format!("/desk?date={TUESDAY}")),
        ("desk-day-de", format!("/desk?date={TUESDAY}&lang=de")),
        ("desk-week", format!("/desk/week/{}?date={TUESDAY}", salon.staff[0])),
        ("desk-booking", format!("/desk/b/{id}")),
        ("desk-booking-de", format!("/desk/b/{id}?lang=de")),
        ("desk-cancel", format!("/desk/b/{id}/cancel")),
        ("desk-move", format!("/desk/b/{id}/move")),
        ("desk-move-odd", format!("/desk/b/{id}/move?date={TUESDAY}&time=19:07&staff={}", salon.staff[0])),
        ("desk-new", "/desk/new".to_owned()),
        ("desk-new-time", format!("/desk/new?service={}", salon.service)),
        (
            "desk-new-who",
            format!(
                "/desk/new?service={}&staff={}&start=20270504T0800Z&q=Hopper",
                salon.service, salon.staff[0]
            ),
        ),
        (
            "desk-new-odd-de",
            format!(
                "/desk/new?lang=de&service={}&staff={}&date={TUESDAY}&time=19:07",
                salon.service, salon.staff[0]
            ),
        ),
        ("desk-ill", "/desk/away?ill=1".to_owned()),
        ("desk-stranded", "/desk/stranded".to_owned()),
        ("desk-customers", "/desk/customers?q=hopper".to_owned()),
        ("desk-settings", "/desk/settings".to_owned()),
        ("desk-business", "/desk/business".to_owned()),
        ("desk-team", "/desk/team".to_owned()),
        ("desk-member", format!("/desk/team/{}", salon.staff[0])),
        ("desk-hours-de", format!("/desk/hours/{}?lang=de", salon.staff[0])),
        ("desk-services", "/desk/services".to_owned()),
        ("desk-service", format!("/desk/services/{}", salon.service)),
        ("desk-closures", "/desk/closures".to_owned()),
        ("desk-keys", "/desk/keys".to_owned()),
        ("desk-keys-de", "/desk/keys?lang=de".to_owned()),
        ("desk-lost", "/desk/b/nothing".to_owned()),
    ] {
        open(&mut browser, &salon, &path).await;
        found.extend(faults(&mut browser, name).await);
    }
    assert_eq!(found, Vec::<String>::new());
    browser.close().await.unwrap();
}

/// Makes something and returns its id, if the answer has one.
async fn make(salon: &Salon, path: &str, new: Value) -> String {
    let made = salon.api.create(path, Some(&salon.admin), &new).await;
    assert!(made.status.is_success(), "{path}: {}", made.body);
    made.body["id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_series_visits_classes_rooms_and_plans_keep_the_rules_of_accessibility_and_fit() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    full_day(&salon).await;
    let room = make(&salon, "/v1/resources", json!({ "name": "Room 1", "kind": "Room" })).await;
    let outage = json!({ "start": "2027-05-06T09:00:00+02:00", "end": "2027-05-06T12:00:00+02:00", "reason": "Paint" });
    make(&salon, &format!("/v1/resources/{room}/outages"), outage).await;
    let contact = json!({ "name": "Mary Jackson", "email": "mary@example.org" });
    let weekly = json!({ "service_id": salon.service, "staff_id": salon.staff[0], "every": { "weeks": 1 },
        "start": "2027-05-05T09:00:00+02:00", "count": 3, "contact": contact });
    make(&salon, "/v1/series", weekly).await;
    let of_series: String = sqlx::query_scalar("SELECT id::text FROM bookings WHERE series_no = 1")
        .fetch_one(salon.api.database.pool())
        .await
        .unwrap();
    let class = json!({ "name": "Yoga", "duration_min": 60, "capacity": 6, "staff_ids": salon.staff });
    let class = make(&salon, "/v1/services", class).await;
    let seat = json!({ "service_id": class, "staff_id": salon.staff[1], "start": "2027-05-05T10:00:00+02:00",
        "seats": 2, "contact": contact });
    let seats = make(&salon, "/v1/bookings", seat).await;
    let windows = json!({ "windows": [{ "weekday": 2, "start": "10:00", "staff_id": salon.staff[0],
        "valid_from": "2027-05-04" }] });
    let path = format!("/v1/services/{class}/timetable");
    let request = salon.api.request(reqwest::Method::PUT, &path).header("if-match", "*");
    let planned = salon.api.send(request.bearer_auth(&salon.admin.access).json(&windows)).await;
    assert_eq!(planned.status, 200, "{}", planned.body);
    for (date, reason) in [("2027-05-17", "Whit Monday"), ("2027-06-03", "Works outing")] {
        let closure = json!({ "closures": [{ "date": date, "reason": reason }] });
        let made = salon.api.post("/v1/closures", Some(&salon.admin), &closure).await;
        assert!(made.status.is_success(), "{}", made.body);
    }
    let service = &salon.service;
    log_in(&mut browser, &salon).await;
    let mut found = Vec::new();
    for (name, path) in [
        ("desk-series", format!("/desk/b/{of_series}/series")),
        ("desk-series-de", format!("/desk/b/{of_series}/series?lang=de")),
        ("desk-of-series", format!("/desk/b/{of_series}")),
        ("desk-seats", format!("/desk/b/{seats}")),
        ("desk-class", format!("/desk/class/{class}/{}/20270505T0800Z", salon.staff[1])),
        ("desk-class-de", format!("/desk/class/{class}/{}/20270505T0800Z?lang=de", salon.staff[1])),
        ("desk-new-seats", format!("/desk/new?service={class}&seats=2&date=2027-05-10")),
        ("desk-timetable", format!("/desk/services/{class}/timetable")),
        ("desk-timetable-de", format!("/desk/services/{class}/timetable?lang=de")),
        ("desk-staff-terms", format!("/desk/services/{service}/staff-terms")),
        ("desk-staff-terms-de", format!("/desk/services/{service}/staff-terms?lang=de")),
        ("desk-needs", format!("/desk/services/{service}/resources")),
        ("desk-needs-de", format!("/desk/services/{service}/resources?lang=de")),
        ("desk-resources", "/desk/resources".to_owned()),
        ("desk-resource", format!("/desk/resources/{room}")),
        ("desk-resource-de", format!("/desk/resources/{room}?lang=de")),
        ("desk-holidays", "/desk/closures?region=de-by&year=2027".to_owned()),
        ("desk-closures-de", "/desk/closures?lang=de".to_owned()),
        ("desk-hours-later", format!("/desk/hours/{}?from=2027-06-01", salon.staff[0])),
        ("desk-new-next", format!("/desk/new?service={service}&then={service}&add=1")),
        ("desk-new-visit", format!("/desk/new?service={service}&then={service}")),
        ("desk-visit-who", format!("/desk/new?service={service}&then={service}&start=20270506T0800Z")),
        (
            "desk-visit-who-de",
            format!("/desk/new?lang=de&service={service}&then={service}&start=20270506T0800Z"),
        ),
    ] {
        open(&mut browser, &salon, &path).await;
        found.extend(faults(&mut browser, name).await);
    }
    assert_eq!(found, Vec::<String>::new());
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_move_and_cancel_a_booking_on_a_phone_without_scripts() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    let id = full_day(&salon).await;
    browser.look(Look::PHONE).await.unwrap();
    browser.scripts(false).await.unwrap();
    log_in(&mut browser, &salon).await;
    browser.follow("→").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("Tuesday, 4 May 2027") && text.contains("Grace Hopper"), "{text}");
    assert!(fits(&mut browser).await);
    browser.follow_containing("Ada Lovelace").await.unwrap();
    browser.follow("Move").await.unwrap();
    browser.click_summary(1).await.unwrap();
    browser.follow("Wednesday, 5 May 2027, 09:15").await.unwrap();
    browser.follow("Move it to this time").await.unwrap();
    assert!(browser.text().await.unwrap().contains("The appointment was moved."));
    assert_eq!(salon.booking(&id).await["start"], "2027-05-05T09:15:00+02:00");
    browser.follow("Cancel appointment").await.unwrap();
    browser.fill("textarea[name=message]", "Maria is ill. We are sorry.").await.unwrap();
    browser.follow("Yes, cancel it").await.unwrap();
    let text = browser.text().await.unwrap();
    assert!(text.contains("The appointment is cancelled.") && text.contains("Maria is ill."), "{text}");
    assert_eq!(salon.booking(&id).await["status"], "cancelled");
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_day_shows_what_a_colleague_books_without_being_loaded_again() {
    let Some(mut browser) = browser().await else { return };
    let salon = busy_salon(&[]).await;
    log_in(&mut browser, &salon).await;
    open(&mut browser, &salon, &format!("/desk?date={TUESDAY}")).await;
    browser.evaluate("window.opened = 'once', ''").await.unwrap();
    salon.book("09:00").await;
    browser.wait_for_text("Ada Lovelace").await.unwrap();
    assert_eq!(browser.evaluate("String(window.opened)").await.unwrap(), "once");
    browser.close().await.unwrap();
}
