//! Api and worker work as roles that own nothing.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Clock as _, ServerClock};
use punctual_testkit::live::Live;
use punctual_testkit::smtp_sink::SmtpSink;
use punctual_testkit::{Programs, TestPostgres};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

const ROLES: &str = include_str!("../../../../deploy/postgres/roles.sql");
/// What a program's role must not be able to do.
const FORBIDDEN: [&str; 7] = [
    "CREATE TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "DROP TABLE bookings",
    "TRUNCATE booking_events",
    "ALTER TABLE bookings DISABLE TRIGGER ALL",
    "UPDATE schema_compatibility SET min_app = 0",
    "DELETE FROM queue._punctual_queue_migrations",
];

async fn service_and_start(live: &Live, now: DateTime<Utc>) -> Value {
    let base = live.api.url();
    let day = (now + TimeDelta::days(2)).date_naive();
    let path = format!("{base}/v1/slots?service_id={}&from={day}&to={day}", live.service_id);
    let slots: Value = reqwest::get(path).await.unwrap().json().await.unwrap();
    json!({ "service_id": live.service_id, "start": slots["days"][0]["slots"][0]["start"] })
}

#[tokio::test(flavor = "multi_thread")]
async fn api_and_worker_own_nothing_and_a_booking_still_gets_its_mail() {
    let Some(postgres) = TestPostgres::start().await else { return };
    let (database, sink) = (postgres.database(), SmtpSink::start().await);
    sqlx::raw_sql(ROLES).execute(database.pool()).await.unwrap();
    sqlx::raw_sql(ROLES).execute(database.pool()).await.unwrap();
    let passwords = "ALTER ROLE punctual_api PASSWORD 'api'; ALTER ROLE punctual_worker PASSWORD 'worker'";
    sqlx::raw_sql(passwords).execute(database.pool()).await.unwrap();
    let owner = Programs::on(database);
    let migrated = owner.run("api", &["migrate"], "");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));

    let (_, address) = database.url().rsplit_once('@').unwrap();
    let url = |role: &str| format!("postgres://punctual_{role}:{role}@{address}");
    let programs = owner.smtp(&sink.url());
    let live = Live::on(database.pool(), programs.clone().set("DATABASE_URL", &url("api"))).await.unwrap();
    let worker = programs.set("DATABASE_URL", &url("worker")).worker().await;

    let now = ServerClock::start(database.pool()).await.unwrap().now();
    let booking = service_and_start(&live, now).await;
    let request = reqwest::Client::new().post(format!("{}/v1/bookings", live.api.url()));
    let request = request.bearer_auth(&live.customer).header("idempotency-key", "one").json(&booking);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    // Those that prove the three accounts' addresses, and the confirmation.
    let mails = sink.wait_for_mails(4).await;
    assert!(mails.iter().any(|mail| mail.subject.starts_with("Booked: Haircut")), "{} mails", mails.len());

    for role in ["api", "worker"] {
        let mut connection = PgConnection::connect(&url(role)).await.unwrap();
        for statement in FORBIDDEN {
            let refused = sqlx::raw_sql(statement).execute(&mut connection).await.unwrap_err();
            let code =
                refused.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
            assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}: {refused}");
        }
        let possessions: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = current_user::regrole",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!(possessions, 0, "{role} owns something");
    }
    let log = format!("{}{}", live.api.log(), worker.log());
    assert!(!log.contains("permission denied"), "{log}");
    assert!(worker.stop().await.success());
}
