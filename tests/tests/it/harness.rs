//! The harness keeps its own promises.

use punctual_dev::testing::{TestDatabase, TestRedis};

#[tokio::test]
async fn every_test_has_a_database_of_its_own() {
    let (one, other) = (TestDatabase::create().await, TestDatabase::create().await);
    sqlx::raw_sql("CREATE TABLE mine (id int)").execute(one.pool()).await.unwrap();
    let count = "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'";
    let in_one: i64 = sqlx::query_scalar(count).fetch_one(one.pool()).await.unwrap();
    let in_other: i64 = sqlx::query_scalar(count).fetch_one(other.pool()).await.unwrap();
    assert_eq!((in_one, in_other), (1, 0));
}

#[tokio::test]
async fn a_test_database_has_the_schema_of_core() {
    let database = TestDatabase::create().await;
    let bookings: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('bookings')::text").fetch_one(database.pool()).await.unwrap();
    assert_eq!(bookings.as_deref(), Some("bookings"));
}

#[tokio::test]
async fn a_redis_can_be_stopped_and_started_again_on_its_port() {
    let Some(mut redis) = TestRedis::start().await else { return };
    let address = redis.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
    redis.stop().await;
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    redis.start_again().await;
    assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
}
