//! Draining, the end of grace, and leaving at once.

use std::time::Duration;

use punctual_queue::{Cancelled, JobState, cancel};

use super::rig::{Order, Rig, dawn, hasty, until, work};

#[tokio::test]
async fn a_draining_worker_finishes_what_runs_and_claims_no_more() {
    let rig = Rig::new().await;
    let worker = work(rig.builder());
    rig.enqueue(Order::Wait).await;
    rig.begun(1).await;
    worker.shutdown.drain();
    let late = rig.enqueue(Order::Done).await;
    let beat = "SELECT max(beat_at)::text FROM queue.sessions";
    let before: String = sqlx::query_scalar(beat).fetch_one(rig.database.pool()).await.unwrap();
    until(async || {
        let after: String = sqlx::query_scalar(beat).fetch_one(rig.database.pool()).await.unwrap();
        (after != before).then_some(())
    })
    .await;
    rig.stage.gate.add_permits(1);
    worker.drain().await;
    let jobs = rig.jobs().await;
    assert_eq!(jobs[0].state, JobState::Completed);
    assert_eq!((jobs[1].id, jobs[1].state, jobs[1].attempt), (late.id, JobState::Available, 0));
}

#[tokio::test]
async fn after_the_grace_period_a_job_goes_back_unless_it_is_past_its_point_of_no_return() {
    let rig = Rig::new().await;
    let mut timing = hasty();
    timing.grace = Duration::from_millis(50);
    let worker = work(rig.builder().timing(timing));
    let (soft, firm) = (rig.enqueue(Order::Wait).await, rig.enqueue(Order::WaitForGood).await);
    rig.begun(2).await;
    worker.shutdown.drain();
    let given_back = until(async || {
        rig.jobs().await.into_iter().find(|job| job.id == soft.id && job.state == JobState::Available)
    })
    .await;
    assert_eq!((given_back.attempt, given_back.run_at), (0, dawn()));
    assert!(!worker.has_ended(), "it waits for the job that can't be stopped");
    rig.stage.gate.add_permits(1);
    worker.drain().await;
    let jobs = rig.jobs().await;
    assert_eq!(jobs.iter().find(|job| job.id == firm.id).unwrap().state, JobState::Completed);
}

#[tokio::test]
async fn a_second_signal_leaves_at_once() {
    let rig = Rig::new().await;
    let worker = work(rig.builder());
    rig.enqueue(Order::WaitForGood).await;
    rig.begun(1).await;
    worker.shutdown.drain();
    worker.shutdown.stop_at_once();
    until(async || worker.has_ended().then_some(())).await;
    assert_eq!(rig.job_in(JobState::Running).await.attempt, 1, "it is left to be rescued");
}

#[tokio::test]
async fn a_running_job_is_cancelled_unless_it_is_past_its_point_of_no_return() {
    let rig = Rig::new().await;
    let worker = work(rig.builder());
    let (soft, firm) = (rig.enqueue(Order::Wait).await, rig.enqueue(Order::WaitForGood).await);
    rig.begun(2).await;
    let mut conn = rig.conn().await;
    for id in [soft.id, firm.id] {
        assert_eq!(cancel(&mut conn, dawn(), id).await.unwrap(), Cancelled::Asked);
    }
    until(async || (rig.states().await.get(&JobState::Cancelled) == Some(&1)).then_some(())).await;
    assert_eq!(*rig.stage.finals.lock().unwrap(), ["cancelled on request"]);
    rig.stage.gate.add_permits(1);
    until(async || (rig.states().await.get(&JobState::Completed) == Some(&1)).then_some(())).await;
    worker.drain().await;
}
