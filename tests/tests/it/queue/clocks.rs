//! Steps of the clock: instants that they left in the tables must not stop the queue.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::testing::ManualWorker;
use punctual_queue::{Job, JobState, Kind, Outcome, Payload, Periodic, Runtime};
use serde::{Deserialize, Serialize};

use super::test_queue::{Order, Task, TestQueue, short_timing, start_time, until, work};

#[derive(Debug, Serialize, Deserialize)]
struct Tick {
    at: i64,
}

impl Payload for Tick {
    const KIND: &'static str = "tick.v1";
    const QUEUE: &'static str = "ticks";
}

async fn set_tick(test: &TestQueue, at: DateTime<Utc>) {
    sqlx::query(
        "INSERT INTO queue.periodic (name, tick) VALUES ('tick', $1)
         ON CONFLICT (name) DO UPDATE SET tick = excluded.tick",
    )
    .bind(at)
    .execute(test.database.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn a_tick_recorded_hours_ahead_does_not_stop_its_periodic_job() {
    let test = TestQueue::new().await;
    set_tick(&test, start_time() + TimeDelta::hours(5)).await;
    let builder = Runtime::builder(test.database.pool().clone(), test.clock.clone())
        .timing(short_timing())
        .kind(Kind::new::<Tick, _, _>(async |_: Tick| Ok::<_, std::io::Error>(Outcome::Done)))
        .periodic(Periodic::every("tick", Duration::from_mins(1), |tick| {
            Job::new(&Tick { at: tick.timestamp() })
        }));
    let worker = work(builder);
    until(async || (test.states().await.get(&JobState::Completed) == Some(&1)).then_some(())).await;
    // The next tick, one period on, is not made before its time.
    test.clock.advance(TimeDelta::minutes(1));
    until(async || (test.states().await.get(&JobState::Completed) == Some(&2)).then_some(())).await;
    worker.drain().await;
    let ticks: Vec<_> = test.jobs().await.into_iter().map(|job| job.args["at"].as_i64().unwrap()).collect();
    assert_eq!(ticks, [start_time().timestamp(), start_time().timestamp() + 60]);
}

#[tokio::test]
async fn a_leader_lease_that_ends_tomorrow_keeps_no_one_from_leading() {
    let test = TestQueue::new().await;
    sqlx::query(
        "INSERT INTO queue.leader (token, session_id, acquired_at, expires_at)
         VALUES (gen_random_uuid(), gen_random_uuid(), clock_timestamp(), clock_timestamp() + interval '1 day')",
    )
    .execute(test.database.pool())
    .await
    .unwrap();
    let due = start_time() + TimeDelta::minutes(1);
    test.enqueue_job(Job::new(&Task { order: Order::Done }).unwrap().run_at(due)).await;
    let worker = work(test.builder());
    test.clock.set(due);
    // Only a leader promotes.
    test.job_in(JobState::Completed).await;
    let workers = punctual_queue::ops::workers(&mut *test.conn().await).await.unwrap();
    assert!(workers.iter().all(|worker| worker.leads), "{workers:?}");
    worker.drain().await;
}

#[tokio::test]
async fn a_dead_worker_whose_last_heartbeat_lies_ahead_is_rescued() {
    let test = TestQueue::new().await;
    let queued = test.enqueue(Order::Done).await;
    let mut conn = test.conn().await;
    let dead = ManualWorker::open(&mut conn, start_time()).await;
    let kinds = [Task::KIND.to_owned()];
    assert_eq!(dead.claim(&mut conn, Task::QUEUE, &kinds, 1, start_time()).await.len(), 1);
    sqlx::query("UPDATE queue.sessions SET beat_at = clock_timestamp() + interval '1 day'")
        .execute(&mut *conn)
        .await
        .unwrap();
    let worker = work(test.builder());
    let done = test.job_in(JobState::Completed).await;
    assert_eq!((done.id, done.rescues, done.attempt), (queued.id, 1, 2));
    worker.drain().await;
}
