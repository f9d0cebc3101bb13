//! An api that is killed between any two steps of a batch of bookings.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use punctual_testkit::Programs;
use reqwest::Client;
use serde_json::{Value, json};

use super::batches::{OVERLAPS, until_blocked};
use super::salon::Salon;

/// The tables of a batch's steps, in order, and the lock that blocks the step: `EXCLUSIVE` blocks writes only.
const STEPS: [(&str, &str); 9] = [
    ("idempotency_keys", "ACCESS EXCLUSIVE"),
    ("staff", "EXCLUSIVE"),
    ("customers", "EXCLUSIVE"),
    ("services", "ACCESS EXCLUSIVE"),
    ("weekly_hours", "ACCESS EXCLUSIVE"),
    ("bookings", "EXCLUSIVE"),
    ("notifications", "EXCLUSIVE"),
    ("queue.jobs", "EXCLUSIVE"),
    ("idempotency_keys", "EXCLUSIVE"),
];

/// Sends each body with a key of its own; none where the connection ended without an answer.
async fn post_all(url: &str, token: &str, key: &str, bodies: &[Value]) -> Vec<Option<u16>> {
    let client = Client::new();
    let posts = bodies.iter().enumerate().map(|(number, body)| {
        let request = client.post(format!("{url}/v1/bookings")).bearer_auth(token).json(body);
        let request = request.header("Idempotency-Key", format!("{key} {number}"));
        async move { request.send().await.ok().map(|answer| answer.status().as_u16()) }
    });
    join_all(posts).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_process_is_killed_between_any_two_steps_leaves_nothing_and_can_be_repeated() {
    let salon = Salon::open(3).await;
    let service = salon.service(|_| ()).await;
    let programs = Programs::on(salon.database()).set("PUNCTUAL_LIMITS", "off");
    let mut api = programs.api().await;
    let client = Client::new();
    let account = json!({ "email": "ada@example.org", "password": "a long enough password", "name": "Ada" });
    let registered =
        client.post(format!("{}/v1/auth/register", api.url())).json(&account).send().await.unwrap();
    assert_eq!(registered.status(), 201);
    let login = json!({ "email": account["email"], "password": account["password"] });
    let session = client.post(format!("{}/v1/auth/login", api.url())).json(&login).send().await.unwrap();
    let session: Value = session.json().await.unwrap();
    let token = session["access_token"].as_str().unwrap().to_owned();
    let pool = salon.database().pool();
    let today: DateTime<Utc> = sqlx::query_scalar("SELECT date_trunc('day', clock_timestamp(), 'UTC')")
        .fetch_one(pool)
        .await
        .unwrap();
    let count = "SELECT count(*) FROM bookings";
    for (day, (table, mode)) in (10..).zip(STEPS) {
        let before = salon.count(count).await;
        let bodies: Vec<Value> = (0..12)
            .map(|number| {
                let start = today + TimeDelta::days(day) + TimeDelta::hours(9 + number / 3);
                let staff = salon.staff[usize::try_from(number % 3).unwrap()];
                json!({ "service_id": service, "staff_id": staff, "start": start })
            })
            .collect();
        let key = format!("day {day}");
        let mut lock = pool.begin().await.unwrap();
        let statement = sqlx::AssertSqlSafe(format!("LOCK TABLE {table} IN {mode} MODE"));
        sqlx::raw_sql(statement).execute(&mut *lock).await.unwrap();
        let url = api.url().to_owned();
        let (answers, ()) = tokio::join!(post_all(&url, &token, &key, &bodies), async {
            until_blocked(pool).await;
            api.kill();
        });
        assert!(answers.iter().all(Option::is_none), "{table}: an answer before the commit: {answers:?}");
        lock.rollback().await.unwrap();
        assert_eq!(salon.count(count).await, before, "{table}");
        api = programs.api().await;
        for _ in 0..2 {
            assert_eq!(post_all(api.url(), &token, &key, &bodies).await, [Some(201); 12], "{table}");
        }
        assert_eq!(salon.count(count).await, before + 12, "{table}");
    }
    assert_eq!(salon.count(OVERLAPS).await, 0);
    let without = "SELECT count(*) FROM bookings AS b WHERE NOT EXISTS (
                       SELECT FROM notifications AS n JOIN queue.jobs AS j ON j.unique_key = n.id::text
                       WHERE n.booking_id = b.id AND n.kind = 'confirmation')";
    assert_eq!(salon.count(without).await, 0, "a booking without its mail");
}
