//! An account's owner exports and deletes personal data.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::dump::Dump;
use crate::api::salon::{Salon, brief};
use crate::api::test_api::{PASSWORD, Session};

/// Ada's personal data, which occurs nowhere else.
const ADA: [&str; 6] = [
    "augusta@byron.example",
    "byron.example",
    "Augusta Byron",
    "+44 1234 567",
    "allergic to mint",
    "tips well",
];

/// Ada has an account and an appointment on Tuesday at nine, with staff notes, replies of a mail server and an error of
/// a job about her.
async fn ada_at(salon: &Salon) -> (Session, String) {
    let api = &salon.api;
    let account = json!({ "email": ADA[0], "password": PASSWORD, "name": ADA[2], "phone": ADA[3] });
    assert_eq!(api.post("/v1/auth/register", None, &account).await.status, 201);
    let ada = api.login(ADA[0]).await;
    let mut wish = salon.wish("09:00");
    wish["customer_note"] = json!(format!("I am {}", ADA[4]));
    let booked = api.create("/v1/bookings", Some(&ada), &wish).await;
    assert_eq!(booked.status, 201, "{}", booked.body);
    for statement in [
        "UPDATE bookings SET staff_note = 'tips well' WHERE customer_note <> ''",
        "UPDATE notifications SET reply = '450 mailbox of Augusta Byron is full', tries = 1
         WHERE recipient = 'augusta@byron.example' AND kind = 'confirmation'",
        r#"UPDATE queue.jobs SET errors = '[{"error": "augusta@byron.example says no"}]', note = 'Augusta Byron'
           WHERE limit_key = 'byron.example'"#,
    ] {
        let changed = sqlx::query(statement).execute(api.database.pool()).await.unwrap();
        assert!(changed.rows_affected() > 0, "{statement}");
    }
    (ada, format!("/v1/bookings/{}", booked.body["id"].as_str().unwrap()))
}

#[tokio::test]
async fn an_owner_reads_all_that_is_kept_of_them_and_nothing_of_others() {
    let salon = Salon::open(1).await;
    let (ada, path) = ada_at(&salon).await;
    let grace = salon.api.somebody("customer").await;
    salon.book(&grace, "10:00").await;
    let moved = json!({ "start": "2027-05-04T11:00:00+02:00" });
    let rescheduled = salon.api.change(&format!("{path}/reschedule"), &ada, "*", Some(&moved)).await;
    assert_eq!(rescheduled.status, 200, "{}", rescheduled.body);

    let data = salon.api.get("/v1/me/export", Some(&ada)).await.body;
    assert_eq!(data["account"], salon.api.get("/v1/me", Some(&ada)).await.body);
    assert_eq!(data["sessions"].as_array().unwrap().len(), 1);
    let customer = &data["customers"][0];
    assert_eq!(customer["customer"]["phone"], ADA[3]);
    assert_eq!(customer["reminders"], true);
    let [booking] = &data["bookings"].as_array().unwrap()[..] else { panic!("{data}") };
    assert_eq!(booking["booking"], salon.api.get(&path, Some(&ada)).await.body);
    assert_eq!(booking["events"], salon.api.get(&format!("{path}/events"), Some(&ada)).await.body["data"]);
    let kinds = |mails: &Value| -> Vec<String> {
        let mails = mails.as_array().unwrap();
        mails.iter().map(|mail| mail["kind"].as_str().unwrap().to_owned()).collect()
    };
    let listed = salon.api.get(&format!("{path}/notifications"), Some(&ada)).await.body;
    let (mut exported, mut listed) = (kinds(&booking["mails"]), kinds(&listed["data"]));
    exported.sort_unstable();
    listed.sort_unstable();
    assert_eq!(exported, listed);
    let text = data.to_string();
    assert!(text.contains("mailbox of Augusta Byron is full"), "what a mail server said is kept too: {text}");
    assert!(!text.contains("customer-") && !text.contains(ADA[5]), "of others, or noted by staff: {text}");
}

#[tokio::test]
async fn nothing_is_left_of_an_owner_who_deletes_their_account() {
    let salon = Salon::open(1).await;
    let api = &salon.api;
    let (ada, path) = ada_at(&salon).await;
    let grace = api.somebody("customer").await;
    let of_grace = salon.book(&grace, "11:00").await;
    let delete = async |password: &str| {
        api.write(Method::DELETE, "/v1/me", &ada, Some(&json!({ "password": password }))).await
    };

    let wrong = delete("a password of somebody else").await;
    assert_eq!(brief(&wrong), (401, "invalid_credentials"));
    let standing = delete(PASSWORD).await;
    assert_eq!(brief(&standing), (409, "has_bookings"));
    assert_eq!(standing.body["booking_ids"], json!([path.rsplit('/').next().unwrap()]));
    let before = Dump::of(api.database.pool()).await;
    assert_eq!(before.left_of(&ADA).len(), ADA.len(), "a refusal changes nothing");
    let grace_before = api.get(&of_grace, Some(&grace)).await.body;
    let address = async |session: &Session| {
        api.get("/v1/me", Some(session)).await.body["email"].as_str().unwrap().to_owned()
    };
    let (grace, admin) = (address(&grace).await, address(&salon.admin).await);

    // The appointment has passed; its confirmation was never sent, and a reminder is still planned.
    api.clock.advance(TimeDelta::days(2));
    let ada = api.login(ADA[0]).await;
    let delete = api.write(Method::DELETE, "/v1/me", &ada, Some(&json!({ "password": PASSWORD }))).await;
    assert_eq!(delete.status, 204, "{}", delete.body);

    let after = Dump::of(api.database.pool()).await;
    assert_eq!(after.left_of(&ADA), []);
    assert_eq!(brief(&api.get("/v1/me", Some(&ada)).await), (401, "session_ended"));
    let again = json!({ "email": ADA[0], "password": PASSWORD });
    assert_eq!(brief(&api.post("/v1/auth/login", None, &again).await), (401, "invalid_credentials"));
    let admin = api.login(&admin).await;
    let slot = api.get(&path, Some(&admin)).await.body;
    assert_eq!((&slot["start"], &slot["status"]), (&json!("2027-05-04T09:00:00+02:00"), &json!("confirmed")));
    assert_eq!((&slot["customer"]["name"], &slot["customer_note"]), (&Value::Null, &json!("")));
    let events = api.get(&format!("{path}/events"), Some(&admin)).await.body;
    assert_eq!(
        (&events["data"][0]["actor"], &events["data"][0]["actor_id"]),
        (&json!("customer"), &Value::Null)
    );
    let mails = api.get(&format!("{path}/notifications"), Some(&admin)).await.body;
    let states: Vec<_> = mails["data"].as_array().unwrap().iter().map(|mail| mail["state"].clone()).collect();
    assert_eq!(states, [json!("cancelled"), json!("cancelled"), json!("cancelled")]);
    assert_eq!(
        api.count("queue.jobs WHERE state NOT IN ('cancelled', 'completed') AND errors <> '[]'").await,
        0
    );

    let grace = api.login(&grace).await;
    assert_eq!(api.get(&of_grace, Some(&grace)).await.body, grace_before, "others are not touched");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let salon = Salon::open(1).await;
    let proof = json!({ "password": PASSWORD });
    let delete =
        async |session: &Session| salon.api.write(Method::DELETE, "/v1/me", session, Some(&proof)).await;
    assert_eq!(brief(&delete(&salon.admin).await), (409, "last_admin"));
    let second = salon.api.somebody("admin").await;
    assert_eq!(delete(&salon.admin).await.status, 204);
    assert_eq!(brief(&delete(&second).await), (409, "last_admin"));
}
