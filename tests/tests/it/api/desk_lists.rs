//! Lists by date, words and order, tables as files, the figures of a month.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::test_api::Session;
use super::{Salon, TestApi, brief};

/// Books a haircut for somebody new.
async fn book(salon: &Salon, start: &str, staff: usize, contact: Value) -> String {
    let wish = json!({ "service_id": salon.service, "start": start, "staff_id": salon.staff[staff],
        "contact": contact });
    let booked = salon.api.create("/v1/bookings", Some(&salon.admin), &wish).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap())
}

fn contact(name: &str) -> Value {
    json!({ "name": name, "email": format!("{}@example.org", name.len()) })
}

/// Starts of the listed bookings, as day and time.
async fn starts(salon: &Salon, session: &Session, query: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let request = salon.api.request(Method::GET, "/v1/bookings").query(query).query(&[("limit", "2")]);
        let request = match &cursor {
            Some(cursor) => request.query(&[("cursor", cursor)]),
            None => request,
        };
        let page = salon.api.send(request.bearer_auth(&session.access)).await.body;
        let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
        found.extend(data.iter().map(|booking| booking["start"].as_str().unwrap()[8..16].to_owned()));
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn staff_find_bookings_by_date_words_and_change_in_either_order() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let early = book(&salon, "2027-05-04T09:00:00+02:00", 0, contact("Zoë Müller")).await;
    book(&salon, "2027-05-04T11:00:00+02:00", 0, contact("Al Turing")).await;
    let mut kid = contact("Grace Hopper-Q");
    kid["phone"] = json!("+49 30 1234567");
    book(&salon, "2027-05-11T10:00:00+02:00", 0, kid).await;
    let all = ["04T09:00", "04T11:00", "11T10:00"];
    let reversed = ["11T10:00", "04T11:00", "04T09:00"];
    let admin = &salon.admin;
    assert_eq!(starts(&salon, admin, &[]).await, all);
    assert_eq!(starts(&salon, admin, &[("order", "desc")]).await, reversed);
    assert_eq!(starts(&salon, admin, &[("date", "2027-05-04")]).await, all[..2]);
    assert_eq!(starts(&salon, admin, &[("date", "2027-05-04"), ("order", "desc")]).await, reversed[1..]);
    assert_eq!(starts(&salon, admin, &[("q", "muller zoe")]).await, all[..1]);
    assert_eq!(starts(&salon, admin, &[("q", "0301234567")]).await, all[2..]);
    assert_eq!(starts(&salon, admin, &[("q", "nobody")]).await, Vec::<String>::new());
    assert_eq!(
        starts(&salon, admin, &[("to", "2027-05-11T00:00:00+02:00"), ("order", "desc")]).await,
        reversed[1..]
    );

    api.clock.advance(TimeDelta::minutes(5));
    assert_eq!(api.change(&format!("{early}/cancel"), admin, "*", None).await.status, 200);
    let since = [("updated_since", "2027-05-03T06:05:00Z")];
    assert_eq!(starts(&salon, admin, &since).await, all[..1]);
    let changed = api.get("/v1/customers?updated_since=2027-05-03T06:05:00Z", Some(admin)).await.body;
    assert_eq!(changed["data"], json!([]), "no customer changed");
    let names = |page: Value| -> Vec<Value> {
        page["data"].as_array().unwrap().iter().map(|customer| customer["name"].clone()).collect()
    };
    let ascending = names(api.get("/v1/customers", Some(admin)).await.body);
    let mut descending = names(api.get("/v1/customers?order=desc", Some(admin)).await.body);
    descending.reverse();
    assert_eq!(ascending, descending);

    let ada = api.somebody("customer").await;
    assert_eq!(brief(&api.get("/v1/bookings?q=turing", Some(&ada)).await), (403, "forbidden"));
    assert_eq!(starts(&salon, &ada, &[("order", "desc")]).await, Vec::<String>::new());
}

#[tokio::test]
async fn tables_are_whole_and_run_no_formula() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let evil = json!({ "name": "=cmd|calc", "phone": "+49 30 1234567" });
    book(&salon, "2027-05-04T09:00:00+02:00", 0, evil).await;
    sqlx::query(
        "INSERT INTO customers (id, origin, email, name, note, created_at, updated_at)
         SELECT gen_random_uuid(), 'guest', 'c' || n || '@example.org', 'Customer ' || n, 'secret', $1, $1
         FROM generate_series(1, 250) AS n",
    )
    .bind(super::test_api::monday())
    .execute(api.database.pool())
    .await
    .unwrap();
    let file = api.get("/v1/customers.csv", Some(&salon.admin)).await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"customers.csv\"");
    let text = file.body.as_str().unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 252, "a head and each customer once");
    assert!(lines[0].starts_with("id,name,email,phone,"));
    assert_eq!(lines.iter().filter(|line| line.contains(",\"'=cmd|calc\",,\"'+49 30 1234567\",")).count(), 1);
    assert!(!text.contains("secret"), "notes are in no table");
    let bookings = api.get("/v1/bookings.csv?from=2027-05-04T00:00:00Z", Some(&salon.admin)).await;
    let text = bookings.body.as_str().unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(
        text.contains(
            ",2027-05-04T09:00:00+02:00,2027-05-04T10:00:00+02:00,Europe/Berlin,confirmed,Haircut,"
        )
    );
    let none = api.get("/v1/bookings.csv?to=2027-05-04T00:00:00Z", Some(&salon.admin)).await;
    assert_eq!(none.body.as_str().unwrap().lines().count(), 1);
    let ada = api.somebody("customer").await;
    assert_eq!(brief(&api.get("/v1/customers.csv", Some(&ada)).await), (403, "forbidden"));
}

#[tokio::test]
async fn the_figures_of_a_month_are_those_of_its_bookings_and_hours() {
    let salon = Salon::on(TestApi::start().await, 2, "09:00-12:00").await;
    let api = &salon.api;
    let completed = book(&salon, "2027-05-04T09:00:00+02:00", 0, contact("Ada")).await;
    let missed = book(&salon, "2027-05-04T10:00:00+02:00", 0, contact("Beate")).await;
    book(&salon, "2027-05-11T10:00:00+02:00", 1, contact("Cem Cem")).await;
    let cancelled = book(&salon, "2027-05-25T09:00:00+02:00", 1, contact("Dora Dora")).await;
    book(&salon, "2027-06-01T09:00:00+02:00", 1, contact("Emil Emil E")).await;
    let off = json!({ "start": "2027-05-11T09:00:00+02:00", "end": "2027-05-11T10:00:00+02:00" });
    let time_off = format!("/v1/staff/{}/time-off", salon.staff[0]);
    assert_eq!(api.create(&time_off, Some(&salon.admin), &off).await.status, 201);
    let closed = api.write(Method::PUT, "/v1/closures/2027-05-18", &salon.admin, Some(&json!({}))).await;
    assert_eq!(closed.status, 200, "{}", closed.body);
    api.clock.advance(TimeDelta::hours(28));
    let admin = api.somebody("admin").await;
    for path in [format!("{completed}/complete"), format!("{missed}/no-show"), format!("{cancelled}/cancel")]
    {
        assert_eq!(api.change(&path, &admin, "*", None).await.status, 200, "{path}");
    }
    let report = api.get("/v1/reports/month?month=2027-05", Some(&admin)).await.body;
    let euros = |minor: i64| json!([{ "minor": minor, "currency": "EUR" }]);
    let counts = |confirmed: i64, completed: i64, no_shows: i64, cancelled: i64| {
        json!({ "pending": 0, "confirmed": confirmed, "completed": completed, "no_shows": no_shows,
            "cancelled": cancelled, "declined": 0 })
    };
    assert_eq!(report["bookings"], counts(1, 1, 1, 1), "{report}");
    assert_eq!(report["revenue"], euros(9000));
    // Four Tuesdays of three hours, one of them closed; one hour off for the first.
    let staff = [
        json!({ "staff_id": salon.staff[0], "name": "Maria 0", "bookings": counts(0, 1, 1, 0),
            "revenue": euros(4500), "booked_min": 120, "open_min": 480 }),
        json!({ "staff_id": salon.staff[1], "name": "Maria 1", "bookings": counts(1, 0, 0, 1),
            "revenue": euros(4500), "booked_min": 60, "open_min": 540 }),
    ];
    assert_eq!(report["staff"], json!(staff));
    let desk = api.somebody("front_desk").await;
    assert_eq!(brief(&api.get("/v1/reports/month?month=2027-05", Some(&desk)).await), (403, "forbidden"));
    let odd = api.get("/v1/reports/month?month=2027-13", Some(&admin)).await;
    assert_eq!(odd.faults(), ["query /month bad_month"]);
}
