//! One limit over two worker processes, with Redis, without it in the middle, and flushed.

use std::time::Duration;

use punctual_testkit::probe::{Act, Event};
use punctual_testkit::{TestDatabase, TestRedis, lasting};

use super::fleet::{Fleet, figure, full, long_or_short, wait_for};
use super::processes::assert_alive;

const RATE: u32 = 50;
const BURST: u32 = 10;

/// The fault of Redis during the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Stopped,
    Flushed,
}

/// Runs two workers for this time; returns when each job began, in seconds after the first, and when Redis stopped and
/// returned.
async fn run(fault: Fault, seconds: u32) -> Option<(Vec<f64>, Vec<f64>)> {
    let mut redis = TestRedis::start().await?;
    let database = TestDatabase::create().await;
    let mut fleet = Fleet::on(&database).await;
    fleet.setup.redis = Some(redis.url());
    fleet.setup.limit = Some((RATE, BURST));
    let mut workers = [fleet.worker().await, fleet.worker().await];
    // Both workers have sent heartbeats by then and know of each other.
    fleet.enqueue(0..1, Act::Note).await;
    fleet.begun(1).await;
    wait_for("both have beaten", async || {
        let workers = fleet.workers().await;
        workers.iter().all(|worker| worker.heartbeat_at > worker.started_at).then_some(())
    })
    .await;
    let total = (seconds * 6 / 5 * RATE + 200) as usize;
    let seconds = f64::from(seconds);
    fleet.enqueue(1..total, Act::Note).await;
    fleet.begun(2).await;
    let journal = || {
        let mut begun: Vec<i64> =
            fleet.journal().iter().filter(|l| l.event == Event::Begin && l.n > 0).map(|l| l.at).collect();
        begun.sort_unstable();
        begun
    };
    let first = journal()[0];
    let since = |at: i64| Duration::from_micros((at - first).unsigned_abs()).as_secs_f64();
    let until = async |moment: f64| {
        let now = since(fleet.now().timestamp_micros());
        lasting(Duration::from_secs_f64((moment - now).max(0.0))).await;
    };
    let mut marks = Vec::new();
    match fault {
        Fault::None => {}
        Fault::Stopped => {
            until(seconds / 3.0).await;
            redis.stop().await;
            marks.push(since(fleet.now().timestamp_micros()));
            until(seconds * 2.0 / 3.0).await;
            redis.start_again().await;
            marks.push(since(fleet.now().timestamp_micros()));
        }
        Fault::Flushed => {
            until(seconds / 2.0).await;
            let client = redis::Client::open(redis.url()).unwrap();
            let mut conn = client.get_multiplexed_async_connection().await.unwrap();
            redis::cmd("FLUSHALL").query_async::<()>(&mut conn).await.unwrap();
            marks.push(since(fleet.now().timestamp_micros()));
        }
    }
    until(seconds + 1.0).await;
    assert_alive(&mut workers);
    let begun: Vec<f64> = journal().into_iter().map(since).filter(|at| *at < seconds).collect();
    assert!(begun.len() < total - 1, "there was work all the time");
    Some((begun, marks))
}

/// The largest number that began in a second, and when.
fn busiest(begun: &[f64], counts: impl Fn(f64) -> bool) -> (usize, f64) {
    let mut end = 0;
    let mut most = (0, 0.0);
    for (start, from) in begun.iter().enumerate() {
        while end < begun.len() && begun[end] < from + 1.0 {
            end += 1;
        }
        if counts(*from) && end - start > most.0 {
            most = (end - start, *from);
        }
    }
    most
}

/// Runs the test: away from the marks the limit with its burst applies, near them the extra allowance too.
async fn story(fault: Fault, on_top: u32, what: &str) {
    let seconds = long_or_short(60, 6);
    let Some((begun, marks)) = run(fault, seconds).await else { return };
    // A switch has effect while a client's circuit to Redis is open, and a one-second window starts before it.
    let near = |from: f64| marks.iter().any(|mark| (mark - 1.0..mark + 1.0).contains(&from));
    let (calm, calm_at) = busiest(&begun, |from| !near(from));
    let (switch, switch_at) = busiest(&begun, near);
    let expected = f64::from(RATE * seconds + BURST);
    let off = (f64::from(u32::try_from(begun.len()).unwrap()) - expected) / expected * 100.0;
    figure(&format!(
        "{what}: {} jobs in {seconds} s, {off:+.2} % of the limit; at most {calm} in a second (at {calm_at:.1} s), \
         {switch} around the switches (at {switch_at:.1} s)",
        begun.len()
    ));
    // Jobs begin slightly after their token was taken; a loaded machine can bunch jobs whose tokens come each 20 ms.
    let slack = long_or_short(0, RATE as usize / 2);
    assert!(calm <= (RATE + BURST) as usize + slack, "{calm} in the second from {calm_at}");
    assert!(switch <= (RATE + BURST + on_top) as usize + slack, "{switch} in the second from {switch_at}");
    assert!(!full() || off.abs() <= 2.0, "{off} %");
    assert!(off < 15.0, "{off} %");
}

#[tokio::test]
async fn two_processes_keep_one_limit() {
    story(Fault::None, 0, "two workers, 50/s and a burst of 10").await;
}

#[tokio::test]
async fn two_processes_keep_the_limit_while_redis_is_away() {
    // When Redis returns empty: its burst, and for up to half a second the share of a worker that has not noticed it.
    story(Fault::Stopped, BURST + RATE / 4, "the same with Redis stopped for the middle third").await;
}

#[tokio::test]
async fn a_flush_of_redis_costs_one_burst() {
    story(Fault::Flushed, BURST, "the same with FLUSHALL in the middle").await;
}
