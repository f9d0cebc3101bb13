//! Jobs from due to finished.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use punctual_queue::ops::PeriodicStatus;
use punctual_queue::testing::{self, TestRuntime};
use punctual_queue::{Job, JobState, Kind, Outcome, Payload, Periodic, Queue, Runtime, job_state};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::test_queue::{Order, Task, TestQueue, short_timing, start_time, until, work};

#[tokio::test]
async fn a_job_runs_once_and_is_completed() {
    let test = TestQueue::new().await;
    let worker = work(test.builder());
    test.enqueue(Order::Done).await;
    let done = test.job_in(JobState::Completed).await;
    assert_eq!((done.attempt, done.lease_seq, done.note), (1, 1, None));
    worker.drain().await;
    assert_eq!(test.handlers.begun(), 1);
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM queue.sessions WHERE ended_at IS NULL")
        .fetch_one(test.database.pool())
        .await
        .unwrap();
    assert_eq!(open, 0, "a worker that drained has closed its session");
}

#[tokio::test]
async fn a_failing_job_waits_as_the_table_says_and_ends_with_its_history() {
    let test = TestQueue::new().await;
    test.enqueue_job(Job::new(&Task { order: Order::Error }).unwrap().max_attempts(4).unique_key("k")).await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    let mut now = start_time();
    for (attempt, seconds) in [(1, 15), (2, 30), (3, 60)] {
        assert_eq!(runtime.run_due_jobs(now).await.len(), 1);
        let status = job_state(&mut *test.conn().await, "task.v1", "k").await.unwrap().unwrap();
        assert_eq!((status.state, status.attempt), (JobState::Retryable, attempt));
        assert_eq!(status.last_error.as_deref(), Some("the printer is on fire"));
        let wait = (status.run_at - now).num_milliseconds();
        assert!((seconds * 800..=seconds * 1200).contains(&wait), "attempt {attempt} waits {wait} ms");
        let early = runtime.run_due_jobs(status.run_at - TimeDelta::milliseconds(1)).await;
        assert_eq!(early, [], "not before its time");
        now = status.run_at;
    }
    runtime.run_due_jobs(now).await;
    let job = test.job_in(JobState::Discarded).await;
    let errors = job.errors.as_array().unwrap();
    assert_eq!(errors.len(), 4);
    assert_eq!(errors[3]["attempt"], 4);
    assert_eq!(job.note.as_deref(), Some("the last attempt failed: the printer is on fire"));
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["the last attempt failed: the printer is on fire"]);
}

#[tokio::test]
async fn outcomes_are_written_down() {
    let test = TestQueue::new().await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    for order in [Order::Skip, Order::Fail, Order::Snooze, Order::Panic, Order::CompleteItself] {
        test.enqueue(order).await;
    }
    assert_eq!(runtime.run_due_jobs(start_time()).await.len(), 5);
    let jobs = test.jobs().await;
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
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["never"]);
}

#[tokio::test]
async fn a_job_past_its_expiry_is_not_run() {
    let test = TestQueue::new().await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    let expires = start_time() + TimeDelta::minutes(1);
    test.enqueue_job(Job::new(&Task { order: Order::Done }).unwrap().expires_at(expires)).await;
    assert_eq!(runtime.run_due_jobs(expires).await, []);
    assert_eq!(test.job_in(JobState::Discarded).await.note.as_deref(), Some("expired before it was begun"));
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["expired before it was begun"]);
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
    let test = TestQueue::new().await;
    test.enqueue_job(Job::new(&Newer {}).unwrap()).await;
    test.enqueue_job(Job::new(&Misspelt { odrer: "Done".to_owned() }).unwrap()).await;
    test.enqueue(Order::Done).await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    runtime.run_due_jobs(start_time()).await;
    let jobs = test.jobs().await;
    let states: Vec<_> = jobs.iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Available, JobState::Discarded, JobState::Completed]);
    assert!(jobs[1].note.as_deref().unwrap().starts_with("the payload can't be read: missing field"));
}

#[tokio::test]
async fn a_job_without_a_worker_for_a_day_is_discarded_and_its_owner_notified() {
    let test = TestQueue::new().await;
    let unknown = test.enqueue_job(Job::new(&Newer {}).unwrap()).await;
    let stopped = test.enqueue_job(Job::new(&Newer {}).unwrap()).await;
    let recent =
        test.enqueue_job(Job::new(&Newer {}).unwrap().run_at(start_time() + TimeDelta::hours(1))).await;
    punctual_queue::ops::stop(&mut *test.conn().await, stopped.id, punctual_queue::ops::Stop::Cancel)
        .await
        .unwrap();
    let finals = Arc::clone(&test.handlers.finals);
    test.clock.set(start_time() + TimeDelta::hours(24) + TimeDelta::seconds(1));
    let builder = test.builder().on_unknown(move |_, job| {
        let finals = Arc::clone(&finals);
        Box::pin(async move {
            finals.lock().unwrap().push(format!("{} {}", job.info.kind, job.why.note()));
            Ok(None)
        })
    });
    let ended = testing::end_unknown(builder).await;
    assert_eq!(ended, 2);
    let states: Vec<_> = test.jobs().await.iter().map(|job| (job.id, job.state)).collect();
    assert_eq!(
        states,
        [
            (unknown.id, JobState::Discarded),
            (stopped.id, JobState::Cancelled),
            (recent.id, JobState::Scheduled)
        ]
    );
    let mut told = test.handlers.finals.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, ["task.v2 cancelled on request", "task.v2 no worker has taken its kind for a day"]);
}

#[tokio::test]
async fn kinds_of_one_queue_are_claimed_together_by_priority() {
    let test = TestQueue::new().await;
    let other = Kind::new::<Newer, _, _>({
        let handlers = test.handlers.clone();
        move |_: Newer, ctx: punctual_queue::JobContext| {
            let handlers = handlers.clone();
            async move {
                handlers.begun.lock().unwrap().push(ctx);
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
        expected.push((priority, test.enqueue_job(job.priority(priority)).await.id));
    }
    expected.sort_unstable();
    let worker = work(test.builder().kind(other).concurrency(1));
    test.begun(6).await;
    worker.drain().await;
    let order: Vec<_> =
        test.handlers.begun.lock().unwrap().iter().map(punctual_queue::JobContext::id).collect();
    assert_eq!(order, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

#[tokio::test]
async fn as_many_jobs_run_as_their_queue_has_capacity_for_and_more_once_it_grows() {
    let test = TestQueue::new().await;
    let capacity = watch::Sender::new(1);
    let mut timing = short_timing();
    // Only the change of the capacity wakes the worker.
    (timing.poll, timing.control) = (Duration::from_mins(10), Duration::from_mins(10));
    for _ in 0..5 {
        test.enqueue(Order::Wait).await;
    }
    let queue = Queue::new("tasks").concurrency(4).capacity(capacity.subscribe());
    let worker = work(test.builder().queue(queue).timing(timing));
    test.begun(1).await;
    for (now, running) in [(3, 3), (100, 4)] {
        let running_before = test.states().await[&JobState::Running];
        assert!(running_before < running, "{running_before}");
        capacity.send_replace(now);
        test.begun(running).await;
        assert_eq!(test.states().await[&JobState::Running], running);
    }
    capacity.send_replace(0);
    test.handlers.gate.add_permits(5);
    until(async || (test.states().await.get(&JobState::Completed) == Some(&4)).then_some(())).await;
    assert_eq!(test.handlers.begun(), 4, "with none it claims none");
    capacity.send_replace(1);
    test.begun(5).await;
    worker.drain().await;
}

#[tokio::test]
async fn a_slow_job_is_stopped_at_its_timeout_and_delays_no_other() {
    let test = TestQueue::new().await;
    let kind = Kind::new::<Task, _, _>(super::test_queue::act).timeout(Duration::from_millis(100));
    let worker = work(test.builder().kind(kind));
    let slow = test.enqueue(Order::Wait).await;
    let quick = test.enqueue(Order::Done).await;
    until(async || {
        let jobs = test.jobs().await;
        let state = |id| jobs.iter().find(|job| job.id == id).unwrap().state;
        (state(slow.id) == JobState::Retryable && state(quick.id) == JobState::Completed).then_some(())
    })
    .await;
    let jobs = test.jobs().await;
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
    let test = TestQueue::new().await;
    let builder = || {
        Runtime::builder(test.database.pool().clone(), test.clock.clone())
            .timing(short_timing())
            .kind(Kind::new::<Tick, _, _>(async |_: Tick| Ok::<_, std::io::Error>(Outcome::Done)))
            .periodic(Periodic::every("tick", Duration::from_mins(1), |tick| {
                Job::new(&Tick { at: tick.timestamp() })
            }))
    };
    let workers = [work(builder().version("1.2.3")), work(builder()), work(builder())];
    until(async || {
        let seen = punctual_queue::ops::workers(&mut *test.conn().await).await.unwrap();
        (seen.len() == workers.len()).then_some(())
    })
    .await;
    for minute in 0..3_i64 {
        test.clock.set(start_time() + TimeDelta::minutes(minute) + TimeDelta::seconds(7));
        let expected = usize::try_from(minute).unwrap() + 1;
        until(async || (test.states().await.get(&JobState::Completed) == Some(&expected)).then_some(()))
            .await;
    }
    let seen = punctual_queue::ops::workers(&mut *test.conn().await).await.unwrap();
    assert_eq!(seen.iter().filter(|worker| worker.version.as_deref() == Some("1.2.3")).count(), 1);
    let periodic = punctual_queue::ops::periodic(&mut *test.conn().await).await.unwrap();
    let last = start_time() + TimeDelta::minutes(2);
    let next = Some(last + TimeDelta::minutes(1));
    assert_eq!(periodic, [PeriodicStatus { name: "tick".to_owned(), last, next }]);
    for worker in workers {
        worker.drain().await;
    }
    let ticks: Vec<_> = test.jobs().await.into_iter().map(|job| job.args["at"].as_i64().unwrap()).collect();
    let start = start_time().timestamp();
    assert_eq!(ticks, [start, start + 60, start + 120]);
}

#[tokio::test]
async fn due_jobs_are_promoted_and_run_by_priority() {
    let test = TestQueue::new().await;
    let due = start_time() + TimeDelta::minutes(10);
    let job = |priority| Job::new(&Task { order: Order::Done }).unwrap().run_at(due).priority(priority);
    let (low, high) = (test.enqueue_job(job(5)).await, test.enqueue_job(job(-5)).await);
    let worker = work(test.builder().concurrency(1));
    test.clock.set(due);
    test.begun(2).await;
    worker.drain().await;
    let order: Vec<_> =
        test.handlers.begun.lock().unwrap().iter().map(punctual_queue::JobContext::id).collect();
    assert_eq!(order, [high.id, low.id]);
}
