//! Worker processes that are killed, frozen, crashed by a job, and stopped.

use std::time::Duration;

use punctual_queue::JobState;
use punctual_testkit::probe::{Act, Event};
use punctual_testkit::{Process, Signal, TestDatabase};
use tokio::time::{Instant, sleep_until};

use super::fleet::{Fleet, figure, full, long_or_short, wait_for};

#[tokio::test]
async fn a_killed_leaders_fifty_jobs_all_run_again() {
    let database = TestDatabase::create().await;
    let fleet = Fleet::on(&database).await;
    let victim = fleet.worker().await;
    fleet.leads(&victim).await;
    fleet.enqueue(0..50, Act::Hold).await;
    fleet.begun(50).await;
    let mut heir = fleet.worker().await;
    let (victim_pid, killed) = (victim.pid(), Instant::now());
    victim.kill();
    fleet.open_gate();
    fleet.begun(100).await;
    let took = killed.elapsed();
    fleet.reached(JobState::Completed, 50).await;

    let journal = fleet.journal();
    assert!(fleet.times(Event::Begin).values().all(|times| *times == 2), "each began twice");
    assert!(fleet.times(Event::End).values().all(|times| *times == 1), "and ended once");
    assert!(journal.iter().filter(|line| line.event == Event::End).all(|line| line.pid != victim_pid));
    assert!(fleet.jobs().await.iter().all(|job| (job.attempt, job.rescues) == (2, 1)));
    assert!(!heir.has_ended());
    figure(&format!("kill -9 of the leader with 50 jobs running: all 50 ran again within {took:.1?}"));
    assert!(!full() || took <= Duration::from_secs(17), "{took:?}");
}

#[tokio::test]
async fn a_worker_frozen_past_its_lease_is_fenced_and_works_on() {
    let database = TestDatabase::create().await;
    let fleet = Fleet::on(&database).await;
    let frozen = fleet.worker().await;
    fleet.enqueue(0..10, Act::Hold).await;
    fleet.enqueue(10..20, Act::HoldFirmly).await;
    fleet.begun(20).await;
    let heir = fleet.worker().await;

    frozen.signal(Signal::STOP);
    let stopped = Instant::now();
    let before = fleet.workers().await;
    let session =
        before.iter().find(|status| status.name.ends_with(&frozen.pid().to_string())).unwrap().session;
    wait_for("the frozen session is ended", async || {
        fleet.workers().await.iter().all(|status| status.session != session).then_some(())
    })
    .await;
    let ended = stopped.elapsed();
    fleet.open_gate();
    fleet.reached(JobState::Completed, 20).await;
    let rescued = stopped.elapsed();
    let completed = fleet.jobs().await;
    if full() {
        sleep_until(stopped + Duration::from_secs(30)).await;
    }

    let late_from = fleet.journal().len();
    frozen.signal(Signal::CONT);
    wait_for("its 20 late ends are fenced and counted", async || {
        (fleet.counted(&frozen, "queue_jobs_fenced_total") == 20).then_some(())
    })
    .await;
    let late: Vec<_> = fleet.journal().split_off(late_from);
    assert!(late.iter().filter(|line| line.n >= 10).count() == 10, "past the point of no return they go on");
    assert!(late.iter().all(|line| !line.fresh), "no run that was overtaken can trust its lease");
    assert_eq!(fleet.jobs().await, completed, "not a row has changed");
    wait_for("it opens a new session", async || {
        let workers = fleet.workers().await;
        let new = workers.iter().find(|status| status.name.ends_with(&frozen.pid().to_string()))?;
        (new.session != session).then_some(())
    })
    .await;
    assert!(heir.stop().await.success());
    fleet.enqueue(20..25, Act::Note).await;
    fleet.reached(JobState::Completed, 25).await;
    assert!(fleet.times(Event::End).iter().all(|(n, times)| *times == if *n < 20 { *times } else { 1 }));
    figure(&format!(
        "SIGSTOP for {:.0?}: session ended after {ended:.1?}, its 20 jobs done by another after {rescued:.1?}, 20 late \
         ends fenced and counted, {} of them past their point of no return",
        long_or_short(Duration::from_secs(30), stopped.elapsed()),
        late.iter().filter(|line| line.event == Event::End && line.n >= 10).count(),
    ));
    assert!(frozen.stop().await.success());
}

#[tokio::test]
async fn a_job_that_crashes_its_process_is_discarded_and_its_neighbours_finish() {
    let database = TestDatabase::create().await;
    let fleet = Fleet::on(&database).await;
    fleet.enqueue(0..25, Act::Slow(20)).await;
    fleet.enqueue(25..26, Act::Abort).await;
    fleet.enqueue(26..50, Act::Slow(20)).await;
    let started = Instant::now();
    let (mut worker, mut crashes) = (fleet.worker().await, 0);
    // As a supervisor does.
    wait_for("one job to be discarded and the others to complete", async || {
        if worker.has_ended() {
            crashes += 1;
            worker = fleet.worker().await;
        }
        fleet.in_state(JobState::Discarded).await == 1 && fleet.in_state(JobState::Completed).await == 49
    })
    .await;
    let jobs = fleet.jobs().await;
    let poison = &jobs[25];
    assert_eq!((poison.state, poison.rescues, poison.attempt), (JobState::Discarded, 3, 3));
    assert_eq!(poison.note.as_deref(), Some("its process died three times"));
    assert_eq!(poison.errors.as_array().unwrap().len(), 3);
    assert_eq!(fleet.times(Event::Final), [(25, 1)].into());
    assert_eq!(fleet.times(Event::Begin)[&25], 3, "it was begun three times and never again");
    let most = jobs.iter().filter(|job| job.n() != 25).map(|job| job.rescues).max().unwrap();
    assert!(most <= 1, "no neighbour was there at two crashes: {most}");
    assert_eq!(crashes, 3);
    figure(&format!(
        "a poison job among 49 good ones: {crashes} crashes, discarded and all 49 done after {:.1?}",
        started.elapsed()
    ));
    assert!(worker.stop().await.success());
}

#[tokio::test]
async fn sigterm_finishes_what_runs_and_a_second_one_leaves_at_once() {
    let database = TestDatabase::create().await;
    let mut fleet = Fleet::on(&database).await;
    fleet.setup.concurrency = 5;
    let worker = fleet.worker().await;
    fleet.enqueue(0..20, Act::Hold).await;
    fleet.begun(5).await;
    let enqueued = fleet.jobs().await;
    worker.signal(Signal::TERM);
    worker.wait_for_log("draining").await;
    fleet.open_gate();
    assert!(worker.ended().await.success());
    fleet.close_gate();
    let jobs = fleet.jobs().await;
    let done: Vec<_> = jobs.iter().filter(|job| job.state == JobState::Completed).collect();
    assert_eq!(done.len(), 5, "what ran was finished, nothing more was begun");
    for (job, before) in jobs.iter().zip(&enqueued).filter(|(job, _)| job.state != JobState::Completed) {
        assert_eq!((job.state, job.attempt, job.run_at), (JobState::Available, 0, before.run_at));
    }

    // At the end of the grace period running jobs are given back unchanged, except those past their point of no return.
    fleet.setup.grace_ms = 200;
    fleet.setup.concurrency = 20;
    fleet.enqueue(20..21, Act::HoldFirmly).await;
    let worker = fleet.worker().await;
    fleet.begun(5 + 16).await;
    worker.signal(Signal::TERM);
    fleet.reached(JobState::Available, 15).await;
    for job in fleet.jobs().await.iter().filter(|job| job.state == JobState::Available) {
        let before = enqueued.iter().find(|before| before.id == job.id).unwrap();
        assert_eq!((job.attempt, job.run_at, job.rescues), (0, before.run_at, 0));
    }
    assert_eq!(fleet.in_state(JobState::Running).await, 1, "past its point of no return");

    // The second signal ends it at once.
    let asked = Instant::now();
    assert!(worker.stop().await.success());
    figure(&format!("a second SIGTERM ended the process within {:.0?}", asked.elapsed()));
    assert_eq!(fleet.in_state(JobState::Running).await, 1, "left to be rescued");
}

trait Numbered {
    fn n(&self) -> u64;
}

impl Numbered for punctual_queue::testing::StoredJob {
    fn n(&self) -> u64 {
        self.args["n"].as_u64().unwrap()
    }
}

/// Asserts that these workers still run.
pub fn assert_alive(workers: &mut [Process]) {
    for worker in workers {
        assert!(!worker.has_ended(), "a worker has ended: {}", worker.log());
    }
}
