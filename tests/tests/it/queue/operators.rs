//! Pause, resume, retry, discard.

use punctual_queue::ops::{self, Stop};
use punctual_queue::testing::TestRuntime;
use punctual_queue::{Job, JobState};

use super::test_queue::{Order, Task, TestQueue, start_time, until, work};

#[tokio::test]
async fn a_paused_queue_starts_nothing_until_it_is_resumed() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    ops::pause(&mut conn, start_time(), "tasks").await.unwrap();
    let worker = work(test.builder());
    test.enqueue(Order::Done).await;
    // A job of another queue runs: the worker does claim.
    let leads = "SELECT count(*) FROM queue.leader";
    until(async || {
        let leaders: i64 = sqlx::query_scalar(leads).fetch_one(test.database.pool()).await.unwrap();
        (leaders == 1).then_some(())
    })
    .await;
    assert_eq!(test.job_in(JobState::Available).await.attempt, 0);
    ops::resume(&mut conn, start_time(), "tasks").await.unwrap();
    test.job_in(JobState::Completed).await;
    worker.drain().await;
}

#[tokio::test]
async fn a_discarded_job_runs_again_when_an_operator_says_so() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    let failed = test
        .enqueue_job(Job::new(&Task { order: Order::Error }).unwrap().max_attempts(1).unique_key("k"))
        .await;
    runtime.run_due_jobs(start_time()).await;
    test.job_in(JobState::Discarded).await;
    assert!(ops::retry(&mut conn, start_time(), failed.id).await.unwrap());
    runtime.run_due_jobs(start_time()).await;
    assert_eq!(test.job_in(JobState::Discarded).await.attempt, 2);

    let newer = test.enqueue_job(Job::new(&Task { order: Order::Done }).unwrap().unique_key("k")).await;
    assert!(newer.inserted);
    assert!(!ops::retry(&mut conn, start_time(), failed.id).await.unwrap(), "a live job has its key by now");
}

#[tokio::test]
async fn an_operators_stop_does_not_wait_for_a_paused_queue_to_be_resumed() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    ops::pause(&mut conn, start_time(), "tasks").await.unwrap();
    let worker = work(test.builder());
    let due = test.enqueue(Order::Done).await;
    let later =
        Job::new(&Task { order: Order::Done }).unwrap().run_at(start_time() + chrono::TimeDelta::days(1));
    let later = test.enqueue_job(later).await;
    let neighbour = test.enqueue(Order::Done).await;
    assert!(ops::stop(&mut conn, due.id, Stop::Cancel).await.unwrap());
    assert!(ops::stop(&mut conn, later.id, Stop::Discard).await.unwrap());
    until(async || (test.states().await.get(&JobState::Available) == Some(&1)).then_some(())).await;
    until(async || (test.handlers.finals.lock().unwrap().len() == 2).then_some(())).await;
    let jobs = until(async || {
        let jobs = test.jobs().await;
        jobs.iter().all(|job| job.state != JobState::Running).then_some(jobs)
    })
    .await;
    let seen: Vec<_> = jobs.iter().map(|job| (job.id, job.state, job.attempt, job.note.as_deref())).collect();
    assert_eq!(
        seen,
        [
            (due.id, JobState::Cancelled, 0, Some("cancelled on request")),
            (later.id, JobState::Discarded, 0, Some("discarded by an operator")),
            (neighbour.id, JobState::Available, 0, None),
        ]
    );
    assert_eq!(test.handlers.begun(), 0);
    worker.drain().await;
}

#[tokio::test]
async fn an_operators_stop_ends_a_waiting_job_unrun_with_its_hook() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    let due = start_time() + chrono::TimeDelta::days(1);
    let waiting = test.enqueue_job(Job::new(&Task { order: Order::Done }).unwrap().run_at(due)).await;
    assert!(ops::stop(&mut conn, waiting.id, Stop::Discard).await.unwrap());
    assert_eq!(runtime.run_due_jobs(start_time()).await, []);
    test.job_in(JobState::Discarded).await;
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["discarded by an operator"]);
    assert!(!ops::stop(&mut conn, waiting.id, Stop::Cancel).await.unwrap());
}
