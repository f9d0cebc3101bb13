//! Draining, the end of grace, and leaving at once.

use std::time::Duration;

use punctual_queue::{Cancelled, JobState, cancel};

use super::test_queue::{Order, TestQueue, short_timing, start_time, until, work};

#[tokio::test]
async fn a_draining_worker_finishes_what_runs_and_claims_no_more() {
    let test = TestQueue::new().await;
    let worker = work(test.builder());
    test.enqueue(Order::Wait).await;
    test.begun(1).await;
    worker.shutdown.drain();
    let late = test.enqueue(Order::Done).await;
    let beat = "SELECT max(beat_at)::text FROM queue.sessions";
    let before: String = sqlx::query_scalar(beat).fetch_one(test.database.pool()).await.unwrap();
    until(async || {
        let after: String = sqlx::query_scalar(beat).fetch_one(test.database.pool()).await.unwrap();
        (after != before).then_some(())
    })
    .await;
    test.handlers.gate.add_permits(1);
    worker.drain().await;
    let jobs = test.jobs().await;
    assert_eq!(jobs[0].state, JobState::Completed);
    assert_eq!((jobs[1].id, jobs[1].state, jobs[1].attempt), (late.id, JobState::Available, 0));
}

#[tokio::test]
async fn after_the_grace_period_a_job_goes_back_unless_it_is_past_its_point_of_no_return() {
    let test = TestQueue::new().await;
    let mut timing = short_timing();
    timing.grace = Duration::from_millis(50);
    let worker = work(test.builder().timing(timing));
    let (soft, firm) = (test.enqueue(Order::Wait).await, test.enqueue(Order::WaitForGood).await);
    test.begun(2).await;
    worker.shutdown.drain();
    let given_back = until(async || {
        test.jobs().await.into_iter().find(|job| job.id == soft.id && job.state == JobState::Available)
    })
    .await;
    assert_eq!((given_back.attempt, given_back.run_at), (0, start_time()));
    assert!(!worker.has_ended(), "it waits for the job that can't be stopped");
    test.handlers.gate.add_permits(1);
    worker.drain().await;
    let jobs = test.jobs().await;
    assert_eq!(jobs.iter().find(|job| job.id == firm.id).unwrap().state, JobState::Completed);
}

#[tokio::test]
async fn a_job_that_never_ends_does_not_keep_a_stopping_worker_alive() {
    let test = TestQueue::new().await;
    let mut timing = short_timing();
    (timing.grace, timing.overrun) = (Duration::from_millis(50), Duration::from_millis(50));
    let worker = work(test.builder().timing(timing));
    test.enqueue(Order::WaitForGood).await;
    test.begun(1).await;
    worker.shutdown.drain();
    until(async || worker.has_ended().then_some(())).await;
    assert_eq!(test.job_in(JobState::Running).await.attempt, 1, "it is left to be rescued");
}

#[tokio::test]
async fn a_second_signal_leaves_at_once() {
    let test = TestQueue::new().await;
    let worker = work(test.builder());
    test.enqueue(Order::WaitForGood).await;
    test.begun(1).await;
    worker.shutdown.drain();
    worker.shutdown.stop_at_once();
    until(async || worker.has_ended().then_some(())).await;
    assert_eq!(test.job_in(JobState::Running).await.attempt, 1, "it is left to be rescued");
}

#[tokio::test]
async fn a_running_job_is_cancelled_unless_it_is_past_its_point_of_no_return() {
    let test = TestQueue::new().await;
    let worker = work(test.builder());
    let (soft, firm) = (test.enqueue(Order::Wait).await, test.enqueue(Order::WaitForGood).await);
    test.begun(2).await;
    let mut conn = test.conn().await;
    for id in [soft.id, firm.id] {
        assert_eq!(cancel(&mut conn, start_time(), id).await.unwrap(), Cancelled::Asked);
    }
    until(async || (test.states().await.get(&JobState::Cancelled) == Some(&1)).then_some(())).await;
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["cancelled on request"]);
    test.handlers.gate.add_permits(1);
    until(async || (test.states().await.get(&JobState::Completed) == Some(&1)).then_some(())).await;
    worker.drain().await;
}
