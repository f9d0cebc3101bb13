//! Limits over all workers, with Redis, without it, and when it stops and returns.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Job, JobState, Limit, Queue, Wake, enqueue_many, ops, redis_prefix};
use punctual_testkit::{TestRedis, WAIT_TIMEOUT, lasting};

use super::test_queue::{Order, Task, TestQueue, short_timing, start_time, until, work};

fn jobs(count: usize, key: Option<&str>) -> Vec<Job> {
    let job = || Job::new(&Task { order: Order::Done }).unwrap();
    (0..count).map(|_| key.map_or_else(job, |key| job().limit_key(key))).collect()
}

fn limited(limit: Limit) -> Queue {
    Queue::new("tasks").concurrency(50).limit(limit)
}

/// Watches until this many jobs have begun, at most a minute: at no moment more than `burst` and `rate` a second since `start`,
/// which is before the first could.
async fn keeps(test: &TestQueue, total: usize, start: Instant, rate: f64, burst: f64) {
    loop {
        let begun = test.handlers.begun();
        let allowed = burst + rate * start.elapsed().as_secs_f64();
        assert!(f64::from(u32::try_from(begun).unwrap()) <= allowed, "{begun} jobs, {allowed} allowed");
        if begun >= total {
            return;
        }
        assert!(start.elapsed() < WAIT_TIMEOUT, "only {begun} of {total} jobs have begun");
        lasting(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn two_workers_together_keep_one_limit() {
    let Some(redis) = TestRedis::start().await else { return };
    let test = TestQueue::new().await;
    enqueue_many(&mut *test.conn().await, start_time(), jobs(130, None)).await.unwrap();
    let builder =
        || test.builder().queue(limited(Limit::per_second(50).burst(10))).redis(Some(&redis.url()), "");
    let start = Instant::now();
    let workers = [work(builder()), work(builder())];
    keeps(&test, 130, start, 50.0, 10.5).await;
    for worker in workers {
        worker.drain().await;
    }
    assert!(test.jobs().await.iter().all(|job| job.attempt == 1), "waiting for a token burns no attempt");
}

#[tokio::test]
async fn two_deployments_on_one_redis_have_a_budget_each() {
    let Some(redis) = TestRedis::start().await else { return };
    let tests = [TestQueue::new().await, TestQueue::new().await];
    // Databases of tests are copies of one, its deployment's id included.
    let renamed = "UPDATE queue.deployment SET id = gen_random_uuid()";
    sqlx::query(renamed).execute(&mut *tests[1].conn().await).await.unwrap();
    for test in &tests {
        enqueue_many(&mut *test.conn().await, start_time(), jobs(12, None)).await.unwrap();
        let prefix = redis_prefix(&mut *test.conn().await).await.unwrap();
        let limit = Limit::per_minute(1).burst(10);
        let worker = work(test.builder().queue(limited(limit)).redis(Some(&redis.url()), &prefix));
        // The second would wait minutes for tokens that the first has spent.
        test.begun(10).await;
        worker.drain().await;
        assert!(test.handlers.begun() <= 11, "its own limit holds: {}", test.handlers.begun());
    }
}

#[tokio::test]
async fn without_redis_each_worker_keeps_its_share() {
    let test = TestQueue::new().await;
    let builder = || test.builder().queue(limited(Limit::per_second(40).burst(2)));
    let workers = [work(builder()), work(builder())];
    // Each has counted the sessions once its second heartbeat beside the other has begun.
    for _ in 0..2 {
        let mark: DateTime<Utc> =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(test.database.pool()).await.unwrap();
        let beaten = "SELECT count(*) FROM queue.sessions WHERE beat_at > $1";
        until(async || {
            let sessions: i64 =
                sqlx::query_scalar(beaten).bind(mark).fetch_one(test.database.pool()).await.unwrap();
            (sessions == 2).then_some(())
        })
        .await;
    }
    let start = Instant::now();
    enqueue_many(&mut *test.conn().await, start_time(), jobs(80, None)).await.unwrap();
    // Each may have its burst by the whole limit.
    keeps(&test, 80, start, 40.0, 5.0).await;
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test]
async fn redis_may_go_and_come_while_jobs_run() {
    let Some(mut redis) = TestRedis::start().await else { return };
    let test = TestQueue::new().await;
    let queue = limited(Limit::per_second(100).burst(5));
    let worker = work(test.builder().queue(queue).redis(Some(&redis.url()), ""));
    enqueue_many(&mut *test.conn().await, start_time(), jobs(300, None)).await.unwrap();
    test.begun(50).await;
    redis.stop().await;
    test.begun(150).await;
    redis.start_again().await;
    test.begun(300).await;
    worker.drain().await;
    assert_eq!(test.states().await[&JobState::Completed], 300);
}

#[tokio::test]
async fn a_key_over_its_limit_gets_the_slot_that_was_reserved_and_others_run() {
    let Some(redis) = TestRedis::start().await else { return };
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    enqueue_many(&mut conn, start_time(), jobs(3, Some("slow.example"))).await.unwrap();
    enqueue_many(&mut conn, start_time(), jobs(1, Some("other.example"))).await.unwrap();
    let queue = Queue::new("tasks").key_limit(Limit::per_minute(1));
    let worker = work(test.builder().queue(queue).redis(Some(&redis.url()), ""));
    until(async || {
        let states = test.states().await;
        (states.get(&JobState::Completed) == Some(&2) && states.get(&JobState::Retryable) == Some(&2))
            .then_some(())
    })
    .await;
    let mut slots: Vec<_> =
        test.jobs().await.into_iter().filter(|job| job.state == JobState::Retryable).collect();
    slots.sort_by_key(|job| job.run_at);
    let waits: Vec<_> = slots.iter().map(|job| (job.run_at - start_time()).num_seconds()).collect();
    assert!((59..=60).contains(&waits[0]) && (119..=120).contains(&waits[1]), "{waits:?}");
    assert!(slots.iter().all(|job| job.attempt == 0), "no attempt burned");
    // At its reserved time a job needs no further token.
    test.clock.set(slots[0].run_at);
    test.begun(3).await;
    worker.drain().await;
}

#[tokio::test]
async fn a_limit_set_at_run_time_holds_for_a_running_worker() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    ops::set_limit(
        &mut conn,
        start_time(),
        "tasks",
        Some(Limit { count: 1, per: Duration::from_hours(1), burst: 1 }),
    )
    .await
    .unwrap();
    let worker = work(test.builder());
    test.enqueue(Order::Done).await;
    let beaten =
        "SELECT count(*) FROM queue.sessions WHERE beat_at > started_at + interval '300 milliseconds'";
    until(async || {
        let sessions: i64 = sqlx::query_scalar(beaten).fetch_one(test.database.pool()).await.unwrap();
        (sessions == 1).then_some(())
    })
    .await;
    assert_eq!(test.handlers.begun(), 0, "an empty share of one an hour");
    ops::set_limit(&mut conn, start_time(), "tasks", None).await.unwrap();
    test.begun(1).await;
    worker.drain().await;
}

#[tokio::test]
async fn a_wake_up_through_redis_beats_the_poll() {
    let Some(redis) = TestRedis::start().await else { return };
    let test = TestQueue::new().await;
    let mut timing = short_timing();
    timing.poll = Duration::from_mins(10);
    let worker = work(test.builder().timing(timing).redis(Some(&redis.url()), "here:"));
    let wake = Wake::connect_with(Some(&redis.url()), "here:").unwrap();
    // The first wake-up may precede the worker's subscription; it polls everything once subscribed.
    for count in 1..=20 {
        test.enqueue(Order::Done).await;
        wake.wake("tasks");
        test.begun(count).await;
    }
    test.clock.advance(TimeDelta::seconds(1));
    worker.drain().await;
}
