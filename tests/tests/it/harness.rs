//! Tests of the test kit.

use punctual_testkit::{FakeClock, Programs, TestDatabase, TestRedis, program, wait_for};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

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

#[tokio::test]
async fn an_api_runs_as_a_process_of_its_own_and_stops_when_asked() {
    let database = TestDatabase::create().await;
    let api = Programs::on(&database).api().await;
    let answer = reqwest::get(format!("{}/healthz", api.url())).await.unwrap();
    assert_eq!(answer.status(), 200);
    let url = api.url().to_owned();
    assert!(api.stop().await.success());
    assert!(reqwest::get(format!("{url}/healthz")).await.is_err());
}

/// Not a test: the process that the next test starts and kills.
#[tokio::test]
#[ignore = "waits for ever; run by another test"]
async fn runs_until_it_is_killed() {
    let database = TestDatabase::create().await;
    let api = Programs::on(&database).api().await;
    println!("ready {} {}", api.url(), database.url());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_test_process_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "harness::runs_until_it_is_killed"])
        .env("TMPDIR", folder.path()) // so that it has a guard of its own
        .env_remove("PUNCTUAL_TEST_DATABASE_URL")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = loop {
        let line = lines.next_line().await.unwrap().expect("the process gets ready");
        if let Some((_, addresses)) = line.split_once("ready ") {
            break addresses.to_owned();
        }
    };
    let (api, database) = line.split_once(' ').unwrap();
    let port = |url: &str| {
        let authority = url.split('@').next_back().unwrap().trim_start_matches("http://");
        authority.split('/').next().unwrap().to_owned()
    };
    let addresses = [port(api), port(database)];
    for address in &addresses {
        assert!(tokio::net::TcpStream::connect(address).await.is_ok(), "{address} answers while it runs");
    }
    child.kill().await.unwrap();
    for address in &addresses {
        let gone = async || tokio::net::TcpStream::connect(address).await.is_err();
        wait_for(format!("{address} to close"), gone).await;
    }
    let empty = async || std::fs::read_dir(folder.path()).unwrap().count() == 0;
    wait_for("the files to be removed", empty).await;
}

#[test]
fn a_fake_clock_moves_its_programs_and_nothing_else() {
    let Some(clock) = FakeClock::find() else { return };
    let shown = |environment: Vec<(&str, String)>| -> i64 {
        let date = std::process::Command::new("date").arg("+%s").envs(environment).output().unwrap();
        String::from_utf8(date.stdout).unwrap().trim().parse().unwrap()
    };
    let hours = || (shown(clock.environment()) - shown(Vec::new()) + 1800).div_euclid(3600);
    assert_eq!(hours(), 0);
    clock.set(5 * 3600);
    assert_eq!(hours(), 5);
    clock.set(-24 * 3600);
    assert_eq!(hours(), -24);
}

#[test]
fn the_programs_of_the_tests_are_those_of_this_build() {
    for name in ["tests-guard", "tests-api", "tests-worker"] {
        assert!(program(name).is_file(), "{name}");
    }
}
