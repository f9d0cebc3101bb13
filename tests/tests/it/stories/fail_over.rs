//! Postgres fails over, turns read-only or runs out of disk, under a real api and a real worker that nobody restarts.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use punctual_testkit::proxy::Proxy;
use punctual_testkit::{TestPostgres, lasting, wait_for};
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::task::JoinSet;

use super::TestStack;
use crate::core::salon::Salon;

/// How long service may take to come back once a standby is promoted.
const BACK_WITHIN: Duration = Duration::from_secs(20);
const CLIENTS: usize = 4;

/// A connection to the stack's database that can write whatever the database's default is.
async fn administrator(stack: &TestStack) -> PgConnection {
    let mut conn = PgConnection::connect(stack.salon.database().url()).await.unwrap();
    conn.execute("SET default_transaction_read_only = off").await.unwrap();
    conn
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_fail_over_no_connection_that_can_only_read_is_used_again() {
    let stack = TestStack::open(2, |programs| programs).await;
    let worker = stack.programs.worker().await;
    let starts = stack.starts().await;
    stack.book("before", &starts[0]).await;
    let mut administrator = administrator(&stack).await;
    let name: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&mut administrator).await.unwrap();
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    administrator.execute(sqlx::AssertSqlSafe(read_only)).await.unwrap();
    administrator
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    for attempt in 0..6 {
        let answer = stack.try_request_booking(&format!("during {attempt}"), &starts[2]).await.unwrap();
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
    }
    let writable = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
    administrator.execute(sqlx::AssertSqlSafe(writable)).await.unwrap();
    let mut ids = Vec::new();
    for (number, start) in starts.iter().step_by(2).skip(1).take(5).enumerate() {
        ids.push(stack.book(&format!("after {number}"), start).await);
    }
    for id in &ids {
        stack.wait_for_confirmation(id, |mail| mail["accepted_at"].is_string()).await;
    }
    let attempts: i32 = sqlx::query_scalar("SELECT max(attempt) FROM queue.jobs")
        .fetch_one(&mut administrator)
        .await
        .unwrap();
    assert_eq!(attempts, 1, "an outage burns no attempt");
    assert!(worker.stop().await.success(), "the worker drains");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_answered_with_503_and_is_seen_on_readyz() {
    let stack = TestStack::open(1, |programs| programs).await;
    let starts = stack.starts().await;
    let pool = &stack.salon.core.pool;
    pool.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
         CREATE TRIGGER full_disk BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION full_disk();",
    )
    .await
    .unwrap();
    let answer = stack.try_request_booking("full", &starts[0]).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let ready = reqwest::get(format!("{}/readyz", stack.api.url())).await.unwrap();
    assert_eq!(ready.status(), 503);
    pool.execute("DROP TRIGGER full_disk ON bookings").await.unwrap();
    stack.book("room again", &starts[0]).await;
    wait_for("the api is ready again", async || {
        reqwest::get(format!("{}/readyz", stack.api.url())).await.unwrap().status() == 200
    })
    .await;
}

/// What the clients of a fail-over know.
#[derive(Default)]
struct Acknowledged {
    ids: Mutex<BTreeSet<String>>,
    stop: AtomicBool,
}

impl Acknowledged {
    fn count(&self) -> usize {
        self.ids.lock().unwrap().len()
    }
}

/// Books one start after the other, each with its idempotency key until it is answered, until it is told to stop.
async fn book_on(stack: Arc<TestStack>, client: usize, starts: Vec<String>, acknowledged: Arc<Acknowledged>) {
    for (number, start) in starts.iter().enumerate() {
        loop {
            if acknowledged.stop.load(Ordering::SeqCst) {
                return;
            }
            let answer = stack.try_request_booking(&format!("client {client} booking {number}"), start).await;
            if let Ok(answer) = answer {
                let status = answer.status().as_u16();
                assert!(matches!(status, 201 | 409 | 503), "{status}: {:?}", answer.text().await);
                if status == 201 {
                    let booking: Value = answer.json().await.unwrap();
                    acknowledged.ids.lock().unwrap().insert(booking["id"].as_str().unwrap().to_owned());
                    break;
                }
            }
            lasting(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_killed_under_load_loses_no_booking_and_no_mail_once_its_standby_is_promoted() {
    let Some(primary) = TestPostgres::start().await else { return };
    let database = primary.create_database("salon").await;
    let standby = primary.standby().await;
    let proxy = Proxy::start(&primary.address()).await;
    let proxied = database.url().replace(&primary.address(), &proxy.address());
    let of_standby = database.url().replace(&primary.address(), &standby.address());
    assert_ne!(proxied, database.url());
    let salon = Salon::on(database, CLIENTS).await;
    let stack = TestStack::on(salon, |programs| programs.set("DATABASE_URL", &proxied)).await;
    let worker = stack.programs.worker().await;
    let now: DateTime<Utc> =
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&stack.salon.core.pool).await.unwrap();
    let today = now.date_naive();
    let days = stack
        .get(&format!(
            "/v1/slots?service_id={}&from={}&to={}",
            stack.service,
            today + TimeDelta::days(2),
            today + TimeDelta::days(15)
        ))
        .await;
    let starts: Vec<String> = days["days"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|day| day["slots"].as_array().unwrap().iter().step_by(2))
        .map(|slot| slot["start"].as_str().unwrap().to_owned())
        .collect();
    let (stack, acknowledged) = (Arc::new(stack), Arc::new(Acknowledged::default()));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(book_on(Arc::clone(&stack), client, starts.clone(), Arc::clone(&acknowledged)));
    }
    wait_for("bookings are made", async || acknowledged.count() >= 40).await;
    primary.kill().await;
    standby.promote().await;
    proxy.move_to(&standby.address());
    let (promoted, before) = (Instant::now(), acknowledged.count());
    wait_for("bookings are made again", async || acknowledged.count() > before).await;
    let back = promoted.elapsed();
    println!("stories: the next booking was acknowledged {back:.1?} after the promotion");
    assert!(back <= BACK_WITHIN, "{back:?}");
    wait_for("more bookings are made", async || acknowledged.count() >= before + 40).await;
    acknowledged.stop.store(true, Ordering::SeqCst);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }

    let pool = PgPoolOptions::new().connect(&of_standby).await.unwrap();
    let stored: Vec<String> =
        sqlx::query_scalar("SELECT id::text FROM bookings").fetch_all(&pool).await.unwrap();
    let stored: BTreeSet<String> = stored.into_iter().collect();
    let ids = acknowledged.ids.lock().unwrap().clone();
    let lost: Vec<&String> = ids.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
    let confirmed = "SELECT count(*) FROM notifications WHERE kind = 'confirmation' AND outcome = 'sent'";
    wait_for("each booking's confirmation is sent", async || {
        let sent: Result<i64, _> = sqlx::query_scalar(confirmed).fetch_one(&pool).await;
        sent.is_ok_and(|sent| usize::try_from(sent).unwrap() == stored.len())
    })
    .await;
    assert!(worker.stop().await.success());
}
