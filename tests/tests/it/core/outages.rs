//! Postgres outages.

use std::time::Duration;

use punctual_core::pool::PoolSettings;
use punctual_core::{Error, pool};
use punctual_testkit::proxy::Proxy;

use super::salon::{Salon, tuesday};

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_after_all_connections_were_cut_is_made_at_once() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    // Several idle connections, all of which are then cut.
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(salon.core.pool.acquire().await.unwrap());
    }
    let cutter = open.pop().unwrap();
    drop(open);
    let mut cutter = cutter.detach();
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut cutter)
    .await
    .unwrap();
    salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_while_it_is_opened_is_answered_with_503() {
    let proxy = Proxy::start("127.0.0.1:1").await;
    proxy.refuse();
    let settings = PoolSettings {
        program: "tests",
        connections: 1,
        statement_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool =
        pool::connect(&format!("postgres://postgres@{}/punctual", proxy.address()), &settings).unwrap();
    let error = Error::from(pool.acquire().await.unwrap_err());
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}
