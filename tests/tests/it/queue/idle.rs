//! Cost of an idle worker.

use std::fs;

use punctual_testkit::{Process, TestDatabase, TestRedis};
use tokio::time::Instant;

use super::fleet::{Fleet, figure, long_or_short, wait_for};

/// Transactions on a database so far, read from another database of the same server so that reading is not counted.
/// Backends report within a second of a transaction's end.
async fn transactions(observer: &TestDatabase, name: &str) -> i64 {
    let count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
    sqlx::query_scalar(count).bind(name).fetch_one(observer.pool()).await.unwrap()
}

/// Resident memory in MiB, and processor time in seconds.
fn used(worker: &Process) -> (f64, f64) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", worker.pid())).unwrap();
    let status = read("status");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    let stat = read("stat");
    let ticks: Vec<f64> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse().unwrap())
        .collect();
    (kib / 1024.0, (ticks[0] + ticks[1]) / 100.0)
}

#[tokio::test]
async fn an_idle_worker_asks_a_few_times_a_second_and_no_more() {
    let Some(redis) = TestRedis::start().await else { return };
    let (database, observer) = (TestDatabase::create().await, TestDatabase::create().await);
    let name: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(database.pool()).await.unwrap();
    let transactions = async || transactions(&observer, &name).await;
    let mut fleet = Fleet::on(&database).await;
    fleet.setup.redis = Some(redis.url());
    fleet.setup.short_leases = false; // the rate is that of the default durations
    let worker = fleet.worker().await;
    fleet.leads(&worker).await;
    let statements: i64 = long_or_short(540, 90);
    // Beyond the start: what a session, the kinds and the first rounds cost.
    let opened = transactions().await;
    wait_for("its start is reported", async || (transactions().await > opened + 20).then_some(())).await;
    let (before, started, (_, busy)) = (transactions().await, Instant::now(), used(&worker));
    wait_for("an idle worker asks on", async || (transactions().await >= before + statements).then_some(()))
        .await;
    let (after, took, (memory, busy_after)) = (transactions().await, started.elapsed(), used(&worker));
    let rate = f64::from(u32::try_from(after - before).unwrap()) / took.as_secs_f64();
    figure(&format!(
        "an idle worker that leads: {rate:.1} statements a second, {:.1} % of a core, {memory:.0} MiB resident (debug build)",
        (busy_after - busy) / took.as_secs_f64() * 100.0
    ));
    assert!(rate <= 20.0, "{rate} statements a second");
}
