//! The first day of a deployment: an empty schema.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_testkit::{Programs, TestDatabase};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

const ADMIN: &str = "owner@salon-ada.example";
const PASSWORD: &str = "a long enough password";

/// Sends a request, expects this status, and returns the body.
async fn expect(status: u16, request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let found = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(found, status, "{body}");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_becomes_a_business() {
    let database = TestDatabase::create().await;
    let programs = Programs::on(&database);
    let made =
        programs.run("api", &["admin", "create", ADMIN, "--name", "Ada Owner", "--password-stdin"], PASSWORD);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let api = programs.api().await;
    let client = Client::new();
    let call = |method: Method, path: &str| client.request(method, format!("{}{path}", api.url()));

    assert_eq!(expect(404, call(Method::GET, "/v1/business")).await["code"], "not_found");
    let login = json!({ "email": ADMIN, "password": PASSWORD });
    let session = expect(200, call(Method::POST, "/v1/auth/login").json(&login)).await;
    let token = session["access_token"].as_str().unwrap().to_owned();
    let admin = |method, path: &str, body: &Value| call(method, path).bearer_auth(&token).json(body);

    let mut business = json!({ "name": "Salon Ada", "phone": "+49 30 5550100", "reply_to": "hello@salon-ada.example",
        "sender": "bookings@salon-ada.example", "currency": "EUR", "zone": "Europe/Berlin", "locale": "de",
        "guests_allowed": true });
    let nameless = json!({ "zone": "Europe/Berlin" });
    assert_eq!(
        expect(400, admin(Method::PUT, "/v1/business", &nameless)).await["errors"].as_array().unwrap().len(),
        6
    );
    let put = expect(200, admin(Method::PUT, "/v1/business", &business)).await;
    assert_eq!((&put["business"]["name"], &put["stranded"]), (&json!("Salon Ada"), &json!([])));
    let seen = expect(200, call(Method::GET, "/v1/business")).await;
    assert_eq!((&seen["zone"], &seen["sender"]), (&json!("Europe/Berlin"), &Value::Null));

    let member = expect(201, admin(Method::POST, "/v1/staff", &json!({ "name": "Maria" }))).await;
    let staff = member["id"].as_str().unwrap();
    let windows: Vec<Value> =
        (1..=7).map(|day| json!({ "weekday": day, "start": "09:00", "end": "17:00" })).collect();
    let hours = format!("/v1/staff/{staff}/hours");
    let put = |rev: &str| admin(Method::PUT, &hours, &json!({ "windows": windows })).header("if-match", rev);
    assert_eq!(expect(200, put("\"1\"")).await["rev"], 2);
    assert_eq!(expect(412, put("\"1\"")).await["code"], "precondition_failed", "somebody else's hours");
    assert_eq!(expect(200, call(Method::GET, &hours)).await["rev"], 2);
    let service =
        json!({ "name": "Haarschnitt", "duration_min": 60, "price_minor": 4500, "staff_ids": [staff] });
    let service = expect(201, admin(Method::POST, "/v1/services", &service)).await;
    let service = service["id"].as_str().unwrap();

    let now: DateTime<Utc> =
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(database.pool()).await.unwrap();
    let date = (now + TimeDelta::days(3)).date_naive();
    let slots = format!("/v1/slots?service_id={service}&from={date}&to={date}");
    let slots = expect(200, call(Method::GET, &slots)).await;
    let start = slots["days"][0]["slots"][0]["start"].as_str().unwrap();
    let wish = json!({ "service_id": service, "start": start,
        "contact": { "name": "Grace Hopper", "email": "grace@example.org" } });
    let booking = call(Method::POST, "/v1/bookings").header("Idempotency-Key", "the first").json(&wish);
    let booking = expect(201, booking).await;
    assert_eq!(booking["status"], "confirmed");

    // Fields missing in a complete body are cleared; existing bookings stay, even if they no longer fit.
    business["zone"] = json!("Pacific/Auckland");
    business.as_object_mut().unwrap().remove("phone");
    let blind = expect(428, admin(Method::PUT, "/v1/business", &business)).await;
    assert_eq!(blind["code"], "precondition_required");
    let put = |rev: &str| admin(Method::PUT, "/v1/business", &business).header("if-match", rev);
    assert_eq!(expect(412, put("\"7\"")).await["code"], "precondition_failed");
    let moved = expect(200, put("\"1\"")).await;
    assert_eq!(moved["business"]["rev"], 2);
    assert_eq!(
        (&moved["business"]["zone"], moved["business"].get("phone")),
        (&json!("Pacific/Auckland"), None)
    );
    assert_eq!(moved["stranded"][0]["booking_id"], booking["id"]);
    assert_eq!(moved["stranded"].as_array().unwrap().len(), 1);
}
