//! Jobs from due to ended.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use punctual_queue::testing::{self, TestRuntime};
use punctual_queue::{Job, JobState, Kind, Outcome, Payload, Periodic, Runtime, job_state};
use serde::{Deserialize, Serialize};

use super::rig::{Order, Rig, Task, dawn, hasty, until, work};

#[tokio::test]
async fn a_job_runs_once_and_is_completed() {
    let rig = Rig::new().await;
    let worker = work(rig.builder());
    rig.enqueue(Order::Done).await;
    let done = rig.job_in(JobState::Completed).await;
    assert_eq!((done.attempt, done.lease_seq, done.note), (1, 1, None));
    worker.drain().await;
    assert_eq!(rig.stage.begun(), 1);
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM queue.sessions WHERE ended_at IS NULL")
        .fetch_one(rig.database.pool())
        .await
        .unwrap();
    assert_eq!(open, 0, "a worker that drained has closed its session");
}

#[tokio::test]
async fn a_failing_job_waits_as_the_table_says_and_ends_with_its_history() {
    let rig = Rig::new().await;
    rig.enqueue_job(Job::new(&Task { order: Order::Error }).unwrap().max_attempts(4).unique_key("k")).await;
    let mut runtime = TestRuntime::start(rig.builder(), rig.clock.clone()).await;
    let mut now = dawn();
    for (attempt, seconds) in [(1, 15), (2, 30), (3, 60)] {
        assert_eq!(runtime.run_due_jobs(now).await.len(), 1);
        let status = job_state(&mut *rig.conn().await, "task.v1", "k").await.unwrap().unwrap();
        assert_eq!((status.state, status.attempt), (JobState::Retryable, attempt));
        assert_eq!(status.last_error.as_deref(), Some("the printer is on fire"));
        let wait = (status.run_at - now).num_milliseconds();
        assert!((seconds * 800..=seconds * 1200).contains(&wait), "attempt {attempt} waits {wait} ms");
        let early = runtime.run_due_jobs(status.run_at - TimeDelta::milliseconds(1)).await;
        assert_eq!(early, [], "not before its time");
        now = status.run_at;
    }
    runtime.run_due_jobs(now).await;
    let job = rig.job_in(JobState::Discarded).await;
    let errors = job.errors.as_array().unwrap();
    assert_eq!(errors.len(), 4);
    assert_eq!(errors[3]["attempt"], 4);
    assert_eq!(job.note.as_deref(), Some("the last attempt failed: the printer is on fire"));
    assert_eq!(*rig.stage.finals.lock().unwrap(), ["the last attempt failed: the printer is on fire"]);
}

#[tokio::test]
async fn outcomes_are_written_down() {
    let rig = Rig::new().await;
    let mut runtime = TestRuntime::start(rig.builder(), rig.clock.clone()).await;
    for order in [Order::Skip, Order::Fail, Order::Snooze, Order::Panic, Order::CompleteItself] {
        rig.enqueue(order).await;
    }
    assert_eq!(runtime.run_due_jobs(dawn()).await.len(), 5);
    let jobs = rig.jobs().await;
    let seen: Vec<_> = jobs.iter().map(|job| (job.state, job.attempt, job.note.as_deref())).collect();
    assert_eq!(
        seen,
        [
            (JobState::Completed, 1, Some("nothing to do")),
            (JobState::Discarded, 1, Some("never")),
            (JobState::Retryable, 0, Some("the shop is closed")),
            (JobState::Retryable, 1, None),
            (JobState::Completed, 1, None),
        ]
    );
    assert_eq!(jobs[2].snoozes, 1);
    assert!(jobs[3].errors[0]["error"].as_str().unwrap().contains("lost my head"));
    assert_eq!(*rig.stage.finals.lock().unwrap(), ["never"]);
}

#[tokio::test]
async fn a_job_past_its_expiry_is_not_run() {
    let rig = Rig::new().await;
    let mut runtime = TestRuntime::start(rig.builder(), rig.clock.clone()).await;
    let expires = dawn() + TimeDelta::minutes(1);
    rig.enqueue_job(Job::new(&Task { order: Order::Done }).unwrap().expires_at(expires)).await;
    assert_eq!(runtime.run_due_jobs(expires).await, []);
    assert_eq!(rig.job_in(JobState::Discarded).await.note.as_deref(), Some("expired before it was begun"));
    assert_eq!(*rig.stage.finals.lock().unwrap(), ["expired before it was begun"]);
}

#[derive(Serialize, Deserialize)]
struct Misspelt {
    odrer: String,
}

impl Payload for Misspelt {
    const KIND: &'static str = Task::KIND;
    const QUEUE: &'static str = Task::QUEUE;
}

#[derive(Serialize, Deserialize)]
struct Newer {}

impl Payload for Newer {
    const KIND: &'static str = "task.v2";
    const QUEUE: &'static str = Task::QUEUE;
}

#[tokio::test]
async fn an_unreadable_payload_is_discarded_an_unknown_kind_is_left_and_neighbours_go_on() {
    let rig = Rig::new().await;
    rig.enqueue_job(Job::new(&Newer {}).unwrap()).await;
    rig.enqueue_job(Job::new(&Misspelt { odrer: "Done".to_owned() }).unwrap()).await;
    rig.enqueue(Order::Done).await;
    let mut runtime = TestRuntime::start(rig.builder(), rig.clock.clone()).await;
    runtime.run_due_jobs(dawn()).await;
    let jobs = rig.jobs().await;
    let states: Vec<_> = jobs.iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Available, JobState::Discarded, JobState::Completed]);
    assert!(jobs[1].note.as_deref().unwrap().starts_with("the payload can't be read: missing field"));
}

#[tokio::test]
async fn a_kind_that_nobody_takes_for_a_day_is_discarded_and_its_owner_told() {
    let rig = Rig::new().await;
    let unknown = rig.enqueue_job(Job::new(&Newer {}).unwrap()).await;
    let stopped = rig.enqueue_job(Job::new(&Newer {}).unwrap()).await;
    let recent = rig.enqueue_job(Job::new(&Newer {}).unwrap().run_at(dawn() + TimeDelta::hours(1))).await;
    punctual_queue::ops::stop(&mut *rig.conn().await, stopped.id, punctual_queue::ops::Stop::Cancel)
        .await
        .unwrap();
    let finals = Arc::clone(&rig.stage.finals);
    rig.clock.set(dawn() + TimeDelta::hours(24) + TimeDelta::seconds(1));
    let builder = rig.builder().on_unknown(move |_, job| {
        let finals = Arc::clone(&finals);
        Box::pin(async move {
            finals.lock().unwrap().push(format!("{} {}", job.info.kind, job.why.note()));
            Ok(())
        })
    });
    let ended = testing::end_unknown(builder).await;
    assert_eq!(ended, 2);
    let states: Vec<_> = rig.jobs().await.iter().map(|job| (job.id, job.state)).collect();
    assert_eq!(
        states,
        [
            (unknown.id, JobState::Discarded),
            (stopped.id, JobState::Cancelled),
            (recent.id, JobState::Scheduled)
        ]
    );
    let mut told = rig.stage.finals.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, ["task.v2 cancelled on request", "task.v2 no worker has taken its kind for a day"]);
}

#[tokio::test]
async fn kinds_of_one_queue_are_claimed_together_by_priority() {
    let rig = Rig::new().await;
    let other = Kind::new::<Newer, _, _>({
        let stage = rig.stage.clone();
        move |_: Newer, ctx: punctual_queue::JobContext| {
            let stage = stage.clone();
            async move {
                stage.begun.lock().unwrap().push(ctx);
                Ok::<_, std::io::Error>(Outcome::Done)
            }
        }
    });
    let mut expected = Vec::new();
    for priority in [3, 1, 2, 5, 4, 0] {
        let job = if priority % 2 == 0 {
            Job::new(&Newer {}).unwrap()
        } else {
            Job::new(&Task { order: Order::Done }).unwrap()
        };
        expected.push((priority, rig.enqueue_job(job.priority(priority)).await.id));
    }
    expected.sort_unstable();
    let worker = work(rig.builder().kind(other).concurrency(1));
    rig.begun(6).await;
    worker.drain().await;
    let order: Vec<_> = rig.stage.begun.lock().unwrap().iter().map(punctual_queue::JobContext::id).collect();
    assert_eq!(order, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_slow_job_is_stopped_at_its_timeout_and_delays_no_other() {
    let rig = Rig::new().await;
    let kind = Kind::new::<Task, _, _>(super::rig::act).timeout(Duration::from_millis(100));
    let worker = work(rig.builder().kind(kind));
    let slow = rig.enqueue(Order::Wait).await;
    let quick = rig.enqueue(Order::Done).await;
    until(async || {
        let jobs = rig.jobs().await;
        let state = |id| jobs.iter().find(|job| job.id == id).unwrap().state;
        (state(slow.id) == JobState::Retryable && state(quick.id) == JobState::Completed).then_some(())
    })
    .await;
    let jobs = rig.jobs().await;
    assert_eq!(jobs[0].errors[0]["error"], "took longer than its kind may");
    worker.drain().await;
}

#[derive(Serialize, Deserialize)]
struct Tick {
    at: i64,
}

impl Payload for Tick {
    const KIND: &'static str = "tick.v1";
    const QUEUE: &'static str = "ticks";
}

#[tokio::test]
async fn a_periodic_job_is_made_once_for_each_tick_whoever_leads() {
    let rig = Rig::new().await;
    let builder = || {
        Runtime::builder(rig.database.pool().clone(), rig.clock.clone())
            .timing(hasty())
            .kind(Kind::new::<Tick, _, _>(async |_: Tick| Ok::<_, std::io::Error>(Outcome::Done)))
            .periodic(Periodic::every("tick", Duration::from_mins(1), |tick| {
                Job::new(&Tick { at: tick.timestamp() })
            }))
    };
    let workers = [work(builder()), work(builder()), work(builder())];
    for minute in 0..3_i64 {
        rig.clock.set(dawn() + TimeDelta::minutes(minute) + TimeDelta::seconds(7));
        let expected = usize::try_from(minute).unwrap() + 1;
        until(async || (rig.states().await.get(&JobState::Completed) == Some(&expected)).then_some(())).await;
    }
    for worker in workers {
        worker.drain().await;
    }
    let ticks: Vec<_> = rig.jobs().await.into_iter().map(|job| job.args["at"].as_i64().unwrap()).collect();
    let start = dawn().timestamp();
    assert_eq!(ticks, [start, start + 60, start + 120]);
}

#[tokio::test]
async fn due_jobs_are_promoted_and_run_by_priority() {
    let rig = Rig::new().await;
    let due = dawn() + TimeDelta::minutes(10);
    let job = |priority| Job::new(&Task { order: Order::Done }).unwrap().run_at(due).priority(priority);
    let (low, high) = (rig.enqueue_job(job(5)).await, rig.enqueue_job(job(-5)).await);
    let worker = work(rig.builder().concurrency(1));
    rig.clock.set(due);
    rig.begun(2).await;
    worker.drain().await;
    let order: Vec<_> = rig.stage.begun.lock().unwrap().iter().map(punctual_queue::JobContext::id).collect();
    assert_eq!(order, [high.id, low.id]);
}
