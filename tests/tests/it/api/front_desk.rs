//! The front desk: all calendars and customers, none of the settings.

use reqwest::Method;
use serde_json::json;

use super::test_api::Session;
use super::{Salon, brief};

/// Whom an account is and what it may do.
async fn me(salon: &Salon, session: &Session) -> (String, String) {
    let me = salon.api.get("/v1/me", Some(session)).await.body;
    let text = |field: &str| me[field].as_str().unwrap_or_default().to_owned();
    (text("role"), text("staff_id"))
}

#[tokio::test]
async fn the_front_desk_keeps_the_calendars_of_all_until_the_role_is_taken_back() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let account = api.register("paula@example.org").await.body["id"].clone();
    sqlx::query("UPDATE users SET email_verified_at = created_at WHERE email = 'paula@example.org'")
        .execute(api.database.pool())
        .await
        .unwrap();
    let new = json!({ "name": "Paula", "email": "paula@example.org", "user_id": account });
    let paula = api.post("/v1/staff", Some(&salon.admin), &new).await.body["id"].as_str().unwrap().to_owned();
    let invitation = format!("/v1/staff/{paula}/invitation");
    let role = json!({ "role": "front_desk" });
    assert_eq!(api.post(&invitation, Some(&salon.admin), &role).await.status, 202);
    let session = api.login("paula@example.org").await;
    assert_eq!(me(&salon, &session).await, ("front_desk".to_owned(), paula.clone()));

    // Time off and hours of a colleague; of the settings nothing.
    let off = json!({ "start": "2027-05-04T09:00:00+02:00", "end": "2027-05-04T10:00:00+02:00" });
    let colleague = format!("/v1/staff/{}/time-off", salon.staff[0]);
    assert_eq!(api.post(&colleague, Some(&session), &off).await.status, 201);
    let hours = format!("/v1/staff/{}/hours", salon.staff[0]);
    let week = json!({ "windows": [{ "weekday": 2, "start": "08:00", "end": "12:00" }] });
    assert_eq!(api.write(Method::PUT, &hours, &session, Some(&week)).await.status, 200);
    let name = json!({ "name": "Another" });
    let refused = api.write(Method::PATCH, "/v1/business", &session, Some(&name)).await;
    assert_eq!(brief(&refused), (403, "forbidden"));
    let feed = format!("/v1/staff/{}/calendar-feed", salon.staff[0]);
    assert_eq!(
        brief(&api.write(Method::POST, &feed, &session, None).await),
        (403, "forbidden"),
        "a secret of the colleague"
    );

    // Back to the own calendar, in the same session.
    let member = format!("/v1/staff/{paula}");
    let role = json!({ "role": "staff" });
    let changed = api.write(Method::PATCH, &member, &salon.admin, Some(&role)).await;
    assert_eq!((changed.status.as_u16(), &changed.body["staff"]["role"]), (200, &json!("staff")));
    assert_eq!(brief(&api.post(&colleague, Some(&session), &off).await), (403, "forbidden"));
    let nobody = format!("/v1/staff/{}", salon.staff[0]);
    let refused = api.write(Method::PATCH, &nobody, &salon.admin, Some(&role)).await;
    assert_eq!(refused.faults(), ["body /role no_account"]);
}
