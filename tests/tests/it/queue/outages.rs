//! Postgres stopped, crashed and cut off under worker processes.

use std::time::Duration;

use punctual_queue::JobState;
use punctual_testkit::probe::{Act, Event};
use punctual_testkit::{Process, TestPostgres};
use tokio::time::Instant;

use super::fleet::{Fleet, figure, full, long_or_short, wait_for};
use super::processes::assert_alive;

const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'punctual%'";

/// How many runs have ended.
fn ended(fleet: &Fleet<'_>) -> usize {
    fleet.journal().iter().filter(|line| line.event == Event::End).count()
}

/// How many runs were started.
fn begun(fleet: &Fleet<'_>) -> usize {
    fleet.journal().iter().filter(|line| line.event == Event::Begin).count()
}

/// Every job ended exactly once, was begun exactly once, and no worker died over it.
async fn assert_nothing_lost_or_repeated(fleet: &Fleet<'_>, jobs: usize, workers: &mut [Process]) {
    fleet.reached(JobState::Completed, jobs).await;
    assert_alive(workers);
    let (begins, ends) = (fleet.times(Event::Begin), fleet.times(Event::End));
    assert_eq!(begins.len(), jobs, "all ran");
    assert!(begins.values().all(|times| *times == 1), "none began twice");
    assert!(ends.values().all(|times| *times == 1), "none ended twice");
    assert!(fleet.jobs().await.iter().all(|job| (job.attempt, job.rescues) == (1, 0)));
}

#[tokio::test]
async fn postgres_stopped_and_crashed_under_load_loses_and_repeats_nothing() {
    let Some(postgres) = TestPostgres::start().await else { return };
    let mut fleet = Fleet::on(postgres.database()).await;
    fleet.setup.concurrency = 10;
    let mut workers = [fleet.worker().await, fleet.worker().await];
    let total = long_or_short(8_000, 1_200);
    fleet.enqueue(0..total, Act::Slow(50)).await;
    for crash in [false, true] {
        let before = ended(&fleet);
        fleet.begun(before + 50).await;
        if crash {
            postgres.crash().await;
        } else {
            postgres.stop().await;
        }
        // Running jobs end in the journal while nothing can be written to Postgres.
        wait_for("what ran has ended", async || (ended(&fleet) == begun(&fleet)).then_some(())).await;
        let stalled = ended(&fleet);
        postgres.start_again().await;
        let back = Instant::now();
        wait_for("work resumes", async || (ended(&fleet) > stalled).then_some(())).await;
        let took = back.elapsed();
        let how = if crash { "crashed" } else { "stopped" };
        figure(&format!("Postgres {how} and started again: the next job ended {took:.1?} after it answered"));
        assert!(!full() || took <= Duration::from_secs(5), "{took:?}");
    }
    assert_nothing_lost_or_repeated(&fleet, total, &mut workers).await;
    figure(&format!("{total} jobs over both: each began and ended exactly once"));
    for worker in workers {
        assert!(worker.stop().await.success());
    }
}

#[tokio::test]
async fn backends_terminated_again_and_again_lose_and_repeat_nothing() {
    let Some(postgres) = TestPostgres::start().await else { return };
    let mut fleet = Fleet::on(postgres.database()).await;
    fleet.setup.concurrency = 10;
    let mut workers = [fleet.worker().await, fleet.worker().await];
    let rounds = long_or_short(30, 5);
    // Twenty at once of 50 ms each: about a second of work between two rounds.
    let total = rounds * 410;
    fleet.enqueue(0..total, Act::Slow(50)).await;
    let (mut cut, started) = (0, Instant::now());
    for round in 0..rounds {
        wait_for("a round's work is done", async || (ended(&fleet) >= round * 400).then_some(())).await;
        let before = ended(&fleet);
        cut += sqlx::query_scalar::<_, i64>(CUT).fetch_one(postgres.database().pool()).await.unwrap();
        wait_for("work goes on", async || (ended(&fleet) > before).then_some(())).await;
    }
    let (within, took) = (ended(&fleet), started.elapsed());
    assert!(within < total, "there was work all the time");
    assert_nothing_lost_or_repeated(&fleet, total, &mut workers).await;
    let reclaimed: u64 =
        workers.iter().map(|worker| fleet.counted(worker, "queue_jobs_reclaimed_total")).sum();
    let fenced: u64 = workers.iter().map(|worker| fleet.counted(worker, "queue_jobs_fenced_total")).sum();
    assert_eq!(fenced, 0, "an answer that was cut off is no fence");
    figure(&format!(
        "{cut} backends terminated in {took:.0?}: {within} of {total} jobs done by then, all after {:.0?}, each began and \
         ended exactly once; {reclaimed} claims with a lost answer were given back",
        started.elapsed()
    ));
    for worker in workers {
        assert!(worker.stop().await.success());
    }
}
