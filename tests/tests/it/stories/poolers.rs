//! `PgBouncer` between the programs and Postgres.

use punctual_testkit::pgbouncer::{PoolMode, TestPgBouncer};
use punctual_testkit::{Programs, TestPostgres, wait_for};

use super::TestStack;
use crate::core::salon::Salon;

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_loses_prepared_statements_is_named_at_the_start() {
    let salon = Salon::open(1).await;
    let Some(pooler) = TestPgBouncer::start(salon.database().url(), PoolMode::Transaction).await else {
        return;
    };
    if pooler.keeps_prepared_statements() {
        return;
    }
    let programs = Programs::on(salon.database()).set("DATABASE_URL", pooler.url());
    let output = programs.run("api", &[], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("a pooler that loses prepared statements"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_stopped_behind_a_pooler_is_answered_with_503_until_it_is_back() {
    let Some(postgres) = TestPostgres::start().await else { return };
    let salon = Salon::on(postgres.create_database("salon").await, 1).await;
    let Some(pooler) = TestPgBouncer::start(salon.database().url(), PoolMode::Session).await else {
        return;
    };
    let stack = TestStack::on(salon, |programs| programs.set("DATABASE_URL", pooler.url())).await;
    let starts = stack.starts().await;
    postgres.stop().await;
    for attempt in 0..6 {
        let answer = stack.try_request_booking(&format!("during {attempt}"), &starts[0]).await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 503, "{text}");
    }
    postgres.start_again().await;
    wait_for("bookings are made again", async || {
        let answer = stack.try_request_booking("after", &starts[0]).await.unwrap();
        assert!(matches!(answer.status().as_u16(), 201 | 503), "{}", answer.status());
        answer.status() == 201
    })
    .await;
}
