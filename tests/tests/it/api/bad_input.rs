//! Invalid requests: each error says what to do, and nothing is stored.

use reqwest::Method;
use serde_json::{Value, json};

use super::TestApi;
use crate::api::test_api::PASSWORD;

#[tokio::test]
async fn all_errors_of_a_body_are_reported_at_once_without_values() {
    let api = TestApi::start().await;
    let body = json!({ "email": "hunter2", "password": "hunter2", "name": " ", "zone": "hunter2/hunter2",
        "locale": "hunter2", "phone": 5, "extra": "hunter2" });
    let answer = api.post("/v1/auth/register", None, &body).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "invalid_request"));
    let mut faults = answer.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "body /email bad_email",
            "body /extra unknown_field",
            "body /locale bad_locale",
            "body /name empty",
            "body /password too_short",
            "body /phone type",
            "body /zone bad_zone"
        ]
    );
    assert!(!answer.body.to_string().contains("hunter2"), "{}", answer.body);
    assert_eq!(api.count("users").await, 0);
}

#[tokio::test]
async fn what_is_not_a_json_object_is_refused() {
    let api = TestApi::start().await;
    let post = async |content_type: &str, body: &'static str| {
        let request =
            api.request(Method::POST, "/v1/auth/login").header("content-type", content_type).body(body);
        let answer = api.send(request).await;
        (answer.status.as_u16(), answer.faults())
    };
    let told = |fault: &str| (400, vec![fault.to_owned()]);
    assert_eq!(post("application/json", "{\"email\":").await, told("body  syntax"));
    assert_eq!(post("application/json", "").await, told("body  required"));
    assert_eq!(post("application/json", "[]").await, told("body  type"));
    assert_eq!(post("application/json", "null").await, told("body  null"));
    assert_eq!(post("text/plain", "{}").await, (415, vec![]));
    assert_eq!(post("application/x-www-form-urlencoded", "email=a").await, (415, vec![]));
}

#[tokio::test]
async fn parameters_are_checked_all_at_once() {
    let api = TestApi::start().await;
    let path = "/v1/slots?service_id=5&from=2027-05-04&from=2027-05-05&to=tomorrow&stafff_id=x";
    let answer = api.get(path, None).await;
    let mut faults = answer.faults();
    faults.sort();
    let want = [
        "query /from duplicate",
        "query /service_id format",
        "query /stafff_id unknown_parameter",
        "query /to format",
    ];
    assert_eq!((answer.status.as_u16(), faults), (400, want.map(str::to_owned).to_vec()));

    let ada = api.somebody("customer").await;
    for (path, fault) in [
        ("/v1/bookings/5", "path /id format"),
        ("/v1/bookings?limit=0", "query /limit too_small"),
        ("/v1/bookings?limit=101", "query /limit too_large"),
        ("/v1/bookings?limit=ten", "query /limit type"),
        ("/v1/bookings?cursor=AAAA", "query /cursor too_short"),
        ("/v1/bookings?status=lost", "query /status/0 not_allowed"),
        ("/v1/bookings?status=held&status=held", "query /status/1 duplicate"),
        ("/v1/bookings?from=2027-05-04T10:00:00", "query /from format"),
        ("/v1/bookings?from=2027-05-04%2010:00Z", "query /from format"),
    ] {
        let answer = api.get(path, Some(&ada)).await;
        assert_eq!((answer.status.as_u16(), answer.faults()), (400, vec![fault.to_owned()]), "{path}");
    }
}

#[tokio::test]
async fn a_range_of_dates_is_in_order_and_not_too_long() {
    let api = TestApi::start().await;
    let service = "0196a1f0-7c1e-7000-8000-000000000000";
    for (range, fault) in [
        ("from=2027-05-05&to=2027-05-04", "query /to range_reversed"),
        ("from=2027-05-01&to=2027-06-01", "query /to range_too_long"),
    ] {
        let answer = api.get(&format!("/v1/slots?service_id={service}&{range}"), None).await;
        assert_eq!((answer.status.as_u16(), answer.faults()), (400, vec![fault.to_owned()]));
    }
    let answer =
        api.get(&format!("/v1/slots?service_id={service}&from=2027-05-01&to=2027-05-31"), None).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"), "an unknown service");
}

#[tokio::test]
async fn a_booking_that_does_not_fit_is_refused_and_nothing_is_stored() {
    let api = TestApi::start().await;
    let ada = api.somebody("customer").await;
    let service = "0196a1f0-7c1e-7000-8000-000000000000";
    let cases: [(Value, u16, &[&str]); 6] = [
        (json!({ "service_id": service, "start": "2027-05-04T10:00:00" }), 400, &["body /start format"]),
        (json!({ "service_id": service, "start": "2027-05-04 10:00:00Z" }), 400, &["body /start format"]),
        (json!({}), 400, &["body /service_id required", "body /start required"]),
        (json!({ "hold_id": service, "start": "2027-05-04T10:00:00Z" }), 400, &["body /hold_id conflict"]),
        (
            json!({ "service_id": service, "start": "2027-05-04T10:00:00Z", "note": "x" }),
            400,
            &["body /note unknown_field"],
        ),
        (json!({ "service_id": service, "start": "2027-05-04T10:00:00Z" }), 404, &[]),
    ];
    for (body, status, faults) in cases {
        let answer = api.create("/v1/bookings", Some(&ada), &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.faults()),
            (status, faults.iter().map(ToString::to_string).collect()),
            "{body}"
        );
    }
    let body = json!({ "service_id": service, "start": "2027-05-04T10:00:00Z" });
    let without_key = api.post("/v1/bookings", Some(&ada), &body).await;
    assert_eq!(without_key.faults(), ["header /Idempotency-Key required"]);
    let guest = api.create("/v1/bookings", None, &body).await;
    assert_eq!((guest.status.as_u16(), guest.code()), (401, "unauthenticated"));
    for table in ["bookings", "notifications WHERE booking_id IS NOT NULL", "idempotency_keys"] {
        assert_eq!(api.count(table).await, 0, "{table}");
    }
    assert_eq!(api.count("queue.jobs").await, 1, "the mail that proves the address");
}

#[tokio::test]
async fn a_password_has_8_to_128_characters_of_any_kind() {
    let api = TestApi::start().await;
    let register = async |email: &str, password: String| {
        let body = json!({ "email": email, "password": password, "name": "Ada" });
        api.post("/v1/auth/register", None, &body).await.status.as_u16()
    };
    assert_eq!(register("a@example.org", "ä".repeat(7)).await, 400);
    assert_eq!(register("b@example.org", "ä".repeat(8)).await, 201);
    assert_eq!(register("c@example.org", format!("{PASSWORD} {}", "🦀".repeat(99))).await, 201);
    assert_eq!(register("d@example.org", "x".repeat(129)).await, 400);
}

#[tokio::test]
async fn a_body_that_an_operation_does_not_take_is_refused_and_not_ignored() {
    let api = TestApi::start().await;
    let ada = api.somebody("customer").await;
    let message = json!({ "message": "Please call me." });
    let sent = api.post("/v1/auth/verify-email/resend", Some(&ada), &message).await;
    assert_eq!((sent.status.as_u16(), sent.faults()), (400, vec!["body  unexpected".to_owned()]));
    assert_eq!(api.post("/v1/auth/logout-everywhere", Some(&ada), &message).await.status, 400);
    assert_eq!(api.get("/v1/me", Some(&ada)).await.status, 200, "nothing was done");
    assert_eq!(api.post("/v1/auth/verify-email/resend", Some(&ada), &json!({})).await.status, 202);
}
