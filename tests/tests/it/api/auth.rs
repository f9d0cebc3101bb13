//! Accounts and sessions.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::test_api::Answer;
use super::{TestApi, brief};
use crate::api::test_api::PASSWORD;

#[tokio::test]
async fn a_customer_registers_logs_in_and_reads_and_changes_the_account() {
    let api = TestApi::start().await;
    let registered = api.register("Ada@Example.org").await;
    assert_eq!((registered.status.as_u16(), registered.header("location")), (201, "/v1/me"));
    assert_eq!(registered.body["role"], "customer");
    assert!(
        !registered.body.to_string().contains(PASSWORD) && !registered.body.to_string().contains("argon2")
    );

    let ada = api.login("ada@example.org").await;
    let me = api.get("/v1/me", Some(&ada)).await;
    assert_eq!(me.body, registered.body);

    let patch = json!({ "phone": "+49 30 123", "locale": "de" });
    let request = api.request(Method::PATCH, "/v1/me").bearer_auth(&ada.access).json(&patch);
    let changed = api.send(request).await;
    assert_eq!(
        (changed.body["phone"].as_str(), changed.body["name"].as_str()),
        (Some("+49 30 123"), Some("Ada Lovelace"))
    );
    let request =
        api.request(Method::PATCH, "/v1/me").bearer_auth(&ada.access).json(&json!({ "phone": null }));
    let cleared = api.send(request).await;
    assert_eq!((cleared.body.get("phone"), cleared.body["locale"].as_str()), (None, Some("de")));
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let api = TestApi::start().await;
    assert_eq!(api.register("ada@example.org").await.status, 201);
    assert_eq!(brief(&api.register("ADA@example.org").await), (409, "email_taken"));
    assert_eq!(api.count("users").await, 1);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_answered_alike() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let login = async |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        let mut answer = api.post("/v1/auth/login", None, &body).await;
        assert_eq!(brief(&answer), (401, "invalid_credentials"));
        answer.body["instance"] = json!(null);
        answer.body
    };
    assert_eq!(
        login("ada@example.org", "wrong password").await,
        login("eve@example.org", "wrong password").await
    );
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_session() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let ada = api.login("ada@example.org").await;
    let refresh =
        async |token: &str| api.post("/v1/auth/refresh", None, &json!({ "refresh_token": token })).await;
    let second = refresh(&ada.refresh).await;
    assert_eq!(second.status, 200);
    let newest = second.body["refresh_token"].as_str().unwrap();
    assert_eq!(brief(&refresh(&ada.refresh).await), (401, "invalid_refresh_token"));
    assert_eq!(brief(&refresh(newest).await), (401, "invalid_refresh_token"), "the whole family is revoked");
}

#[tokio::test]
async fn logging_out_ends_the_session_and_no_other() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let (phone, laptop) = (api.login("ada@example.org").await, api.login("ada@example.org").await);
    let token = |text: &str| json!({ "refresh_token": text });
    assert_eq!(api.post("/v1/auth/logout", None, &token(&phone.refresh)).await.status, 204);
    assert_eq!(api.post("/v1/auth/logout", None, &token("unknown")).await.status, 204);
    assert_eq!(api.post("/v1/auth/refresh", None, &token(&phone.refresh)).await.status, 401);
    assert_eq!(api.post("/v1/auth/refresh", None, &token(&laptop.refresh)).await.status, 200);
}

#[tokio::test]
async fn after_logout_an_access_token_writes_nothing_and_reads_nothing_of_staff() {
    let api = TestApi::start().await;
    for role in ["customer", "staff", "admin"] {
        let (session, other) = (api.somebody(role).await, api.somebody(role).await);
        let out = json!({ "refresh_token": session.refresh });
        assert_eq!(api.post("/v1/auth/logout", None, &out).await.status, 204);
        let patch = json!({ "name": "Ada" });
        let written = api.write(Method::PATCH, "/v1/me", &session, Some(&patch)).await;
        assert_eq!(brief(&written), (401, "session_ended"), "{role}");
        assert_eq!(brief(&api.get("/v1/me/export", Some(&session)).await), (401, "session_ended"), "{role}");
        if role != "customer" {
            for path in ["/v1/customers", "/v1/bookings"] {
                assert_eq!(
                    brief(&api.get(path, Some(&session)).await),
                    (401, "session_ended"),
                    "{role} {path}"
                );
                assert_eq!(api.get(path, Some(&other)).await.status, 200, "{role} {path}");
            }
        }
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let phone = api.login("ada@example.org").await;
    api.clock.advance(TimeDelta::minutes(1));
    let laptop = api.login("ada@example.org").await;
    let eve = api.somebody("customer").await;
    let listed = api.get("/v1/me/sessions", Some(&laptop)).await;
    let sessions = listed.body["data"].as_array().unwrap();
    let current: Vec<_> = sessions.iter().map(|session| session["current"].as_bool().unwrap()).collect();
    assert_eq!(current, [true, false], "{}", listed.body);
    assert!(
        sessions.iter().all(|session| session["started_at"].is_string() && session["expires_at"].is_string())
    );
    let lost = format!("/v1/me/sessions/{}", sessions[1]["id"].as_str().unwrap());
    assert_eq!(brief(&api.write(Method::DELETE, &lost, &eve, None).await), (404, "not_found"), "not hers");
    assert_eq!(api.write(Method::DELETE, &lost, &laptop, None).await.status, 204);
    assert_eq!(brief(&api.write(Method::DELETE, &lost, &laptop, None).await), (404, "not_found"));
    let patch = json!({ "name": "Ada" });
    assert_eq!(api.write(Method::PATCH, "/v1/me", &phone, Some(&patch)).await.status, 401);
    let refresh = json!({ "refresh_token": phone.refresh });
    assert_eq!(api.post("/v1/auth/refresh", None, &refresh).await.status, 401);
    assert_eq!(api.get("/v1/me/sessions", Some(&laptop)).await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bad_token_is_never_treated_as_a_guest() {
    let api = TestApi::start().await;
    api.register("ada@example.org").await;
    let ada = api.login("ada@example.org").await;
    let with = async |value: &str| {
        let answer = api.send(api.request(Method::GET, "/v1/services").header("authorization", value)).await;
        (answer.status.as_u16(), answer.header("www-authenticate").to_owned())
    };
    let refused = (401, "Bearer error=\"invalid_token\"".to_owned());
    for bad in ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", &format!("Bearer {}x", ada.access)] {
        assert_eq!(with(bad).await, refused, "{bad}");
    }
    assert_eq!(with(&format!("bearer {}", ada.access)).await.0, 200);
    let missing = api.get("/v1/me", None).await;
    assert_eq!((brief(&missing), missing.header("www-authenticate")), ((401, "unauthenticated"), "Bearer"));
    api.clock.advance(TimeDelta::minutes(16));
    assert_eq!(with(&format!("Bearer {}", ada.access)).await, refused, "an expired one too");
}

#[tokio::test]
async fn a_demoted_administrator_can_change_nothing_with_the_old_token() {
    let api = TestApi::start().await;
    let admin = api.somebody("admin").await;
    let staff = json!({ "name": "Maria" });
    assert_eq!(api.post("/v1/staff", Some(&admin), &staff).await.status, 201);
    let demote = "UPDATE users SET role = 'customer'";
    sqlx::query(demote).execute(api.database.pool()).await.unwrap();
    assert_eq!(brief(&api.post("/v1/staff", Some(&admin), &staff).await), (403, "forbidden"));
    let log_out = "UPDATE users SET role = 'admin', token_epoch = token_epoch + 1";
    sqlx::query(log_out).execute(api.database.pool()).await.unwrap();
    assert_eq!(brief(&api.post("/v1/staff", Some(&admin), &staff).await), (401, "session_ended"));
    assert_eq!(api.count("staff").await, 1);
}

#[tokio::test]
async fn a_login_storm_gets_503_and_does_not_stop_other_requests() {
    let api = TestApi::start_with(&[
        ("PUNCTUAL_PASSWORD_THREADS", "1"),
        ("PUNCTUAL_PASSWORD_QUEUE", "2"),
        ("PUNCTUAL_TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await;
    let login = async |number: usize| -> Answer {
        let body = json!({ "email": format!("eve{number}@example.org"), "password": "wrong password" });
        let request = api.request(Method::POST, "/v1/auth/login");
        api.send(request.header("x-forwarded-for", format!("192.0.2.{number}")).json(&body)).await
    };
    let storm = futures::future::join_all((0..24).map(login));
    let (answers, read) = futures::join!(storm, api.get("/v1/services", None));
    assert_eq!(read.status, 200);
    let overloaded: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!overloaded.is_empty() && overloaded.len() < 24);
    assert!(
        overloaded.iter().all(|answer| answer.code() == "overloaded" && answer.header("retry-after") == "1")
    );
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 401 | 503)));
}

#[tokio::test]
async fn many_logins_at_once_to_one_account_are_limited_and_are_no_overload() {
    let api =
        TestApi::start_with(&[("PUNCTUAL_PASSWORD_THREADS", "1"), ("PUNCTUAL_PASSWORD_QUEUE", "16")]).await;
    let body = json!({ "email": "eve@example.org", "password": "wrong password" });
    let answers = futures::future::join_all((0..12).map(|_| api.post("/v1/auth/login", None, &body))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty() && refused.len() < 12);
    assert!(
        refused
            .iter()
            .all(|answer| answer.code() == "too_many_requests" && answer.header("retry-after") == "1")
    );
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 401 | 429)));
}
