//! Workers that die, freeze or are cut off.

use std::time::Duration;

use chrono::TimeDelta;
use punctual_queue::ops::{self, Stop};
use punctual_queue::testing::{
    ManualWorker, TestRuntime, promote_due, rescue_expired, rescue_retrying_poison,
};
use punctual_queue::{Job, JobId, JobState, Kind, Payload as _, Queue, enqueue_many};
use punctual_testkit::probe::Act;
use punctual_testkit::{TestDatabase, TestRedis};

use super::fleet::{Fleet, wait_for};
use super::test_queue::{Order, Task, TestQueue, act, short_timing, start_time, until, work};

fn kinds() -> Vec<String> {
    vec!["task.v1".to_owned()]
}

#[tokio::test]
async fn a_worker_taken_for_dead_can_change_nothing() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let job = test.enqueue(Order::Done).await;
    let frozen = ManualWorker::open(&mut conn, start_time()).await;
    let held = frozen.claim(&mut conn, "tasks", &kinds(), 10, start_time()).await.remove(0);
    assert_eq!((held.id, held.lease_seq, held.attempt), (job.id, 1, 1));

    frozen.expire_session(&mut conn, Duration::from_mins(1)).await;
    assert_eq!(rescue_expired(&mut conn, Duration::from_millis(1)).await, 1);
    assert!(!frozen.beat(&mut conn).await, "its session has ended");
    assert!(
        frozen.claim(&mut conn, "tasks", &kinds(), 10, start_time()).await.is_empty(),
        "nor does it claim"
    );
    assert!(!held.done(&mut conn, start_time()).await, "its late end is fenced");
    let after = ManualWorker::open(&mut conn, start_time()).await;
    let again = after.claim_rescued(&mut conn, "tasks", &kinds(), start_time()).await.unwrap();
    assert_eq!((again.lease_seq, again.attempt, again.rescues), (2, 2, 1));
    assert!(!held.fail(&mut conn, start_time(), start_time()).await, "also while another runs it");
    assert!(again.done(&mut conn, start_time()).await);
    assert!(!held.done(&mut conn, start_time()).await, "and after");
    let stored = &test.jobs().await[0];
    assert_eq!((stored.state, stored.lease_seq), (JobState::Completed, 2));
}

#[tokio::test]
async fn a_job_whose_process_dies_three_times_is_poison() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    test.enqueue(Order::Done).await;
    for deaths in 0..3 {
        let victim = ManualWorker::open(&mut conn, start_time()).await;
        let held = if deaths == 0 {
            victim.claim(&mut conn, "tasks", &kinds(), 10, start_time()).await.pop()
        } else {
            victim.claim_rescued(&mut conn, "tasks", &kinds(), start_time()).await
        };
        assert_eq!(held.unwrap().rescues, deaths);
        victim.expire_session(&mut conn, Duration::from_mins(1)).await;
        // Other sessions have no newer heartbeat either, but only jobs of the dead one are rescued.
        assert_eq!(rescue_expired(&mut conn, Duration::from_millis(1)).await, 1);
    }
    let worker = work(test.builder());
    let ended = test.job_in(JobState::Discarded).await;
    assert_eq!(ended.note.as_deref(), Some("its process died three times"));
    assert_eq!(test.handlers.begun(), 0);
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["its process died three times"]);
    worker.drain().await;
}

#[tokio::test]
async fn jobs_of_a_killed_worker_all_run_again_one_at_a_time() {
    let test = TestQueue::new().await;
    let victim = work(test.builder());
    for _ in 0..20 {
        test.enqueue(Order::Wait).await;
    }
    test.begun(20).await;
    victim.kill().await;
    let heir = work(test.builder());
    test.begun(21).await;
    assert_eq!(test.states().await[&JobState::Running], 1, "rescued jobs run one at a time");
    let fresh = test.enqueue(Order::Done).await;
    until(async || {
        test.jobs().await.into_iter().find(|job| job.id == fresh.id && job.state == JobState::Completed)
    })
    .await;
    test.handlers.gate.add_permits(20);
    until(async || (test.states().await.get(&JobState::Completed) == Some(&21)).then_some(())).await;
    heir.drain().await;
    let attempts: Vec<_> = test.jobs().await.iter().map(|job| job.attempt).collect();
    assert_eq!(attempts.iter().sum::<i32>(), 41, "each of the twenty ran twice, the fresh one once");
}

#[tokio::test]
async fn a_rescued_job_is_next_where_its_queue_was_full_when_it_was_rescued() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let worker = work(test.builder().queue(Queue::new("tasks").concurrency(1)));
    test.enqueue(Order::Wait).await;
    test.begun(1).await;
    for _ in 0..3 {
        test.enqueue(Order::Wait).await;
    }
    let rescued = test.enqueue(Order::Wait).await;
    sqlx::query("UPDATE queue.jobs SET rescues = 1 WHERE id = $1")
        .bind(rescued.id)
        .execute(&mut *conn)
        .await
        .unwrap();
    // A stop is served in the same round in which rescued jobs are looked for.
    let stopped = test.enqueue(Order::Wait).await;
    assert!(ops::stop(&mut conn, stopped.id, Stop::Cancel).await.unwrap());
    until(async || test.states().await.contains_key(&JobState::Cancelled).then_some(())).await;
    test.handlers.gate.add_permits(1);
    test.begun(2).await;
    assert_eq!(test.handlers.begun.lock().unwrap()[1].id(), rescued.id);
    test.handlers.gate.add_permits(10);
    test.begun(5).await;
    worker.drain().await;
}

/// A webhook to an endpoint that never answers held up all others that a killed worker left, and its mails.
#[tokio::test]
async fn a_rescued_job_that_waits_for_another_system_lets_the_next_one_start() {
    const JOBS: usize = 5;
    let test = TestQueue::new().await;
    let victim = work(test.builder());
    for _ in 0..JOBS {
        test.enqueue(Order::Wait).await;
    }
    test.begun(JOBS).await;
    victim.kill().await;
    let heir = work(test.builder());
    for running in 1..=JOBS {
        test.begun(JOBS + running).await;
        assert_eq!(test.states().await[&JobState::Running], running);
        let last = test.handlers.begun.lock().unwrap().last().cloned().unwrap();
        last.release_rescue_slot();
    }
    test.handlers.gate.add_permits(JOBS);
    until(async || (test.states().await.get(&JobState::Completed) == Some(&JOBS)).then_some(())).await;
    heir.drain().await;
}

/// A job that had ended was rescued twice, because the next one crashed the process before the end was written.
#[tokio::test]
async fn a_rescued_job_starts_once_the_end_of_the_previous_one_is_written() {
    let test = TestQueue::new().await;
    let victim = work(test.builder());
    test.enqueue(Order::Wait).await;
    test.enqueue(Order::Wait).await;
    test.begun(2).await;
    victim.kill().await;
    let heir = work(test.builder());
    test.begun(3).await;
    let id_of = |run: usize| test.handlers.begun.lock().unwrap()[run].id();
    let first = id_of(2);
    let lock = hold_up_the_end(&test, first).await;
    // Rescued jobs are looked for before others.
    let fresh = test.enqueue(Order::Wait).await;
    test.begun(4).await;
    assert_eq!(id_of(3), fresh.id);
    lock.rollback().await.unwrap();
    test.begun(5).await;
    assert!(id_of(4) != first && id_of(4) != fresh.id);
    test.handlers.gate.add_permits(2);
    until(async || (test.states().await.get(&JobState::Completed) == Some(&3)).then_some(())).await;
    heir.drain().await;
}

/// Ends one job, whose end can't be written until the returned transaction ends.
async fn hold_up_the_end(test: &TestQueue, id: JobId) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut lock = test.database.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM queue.jobs WHERE id = $1 FOR UPDATE")
        .bind(id)
        .execute(&mut *lock)
        .await
        .unwrap();
    test.handlers.gate.add_permits(1);
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'punctual-queue' AND wait_event_type = 'Lock')";
    until(async || {
        let waits: bool = sqlx::query_scalar(waiting).fetch_one(test.database.pool()).await.unwrap();
        waits.then_some(())
    })
    .await;
    lock
}

#[tokio::test]
async fn a_hook_that_panics_holds_up_no_other_job_and_runs_again_in_the_next_process() {
    let test = TestQueue::new().await;
    let kind = Kind::new::<Task, _, _>(act).on_final(|_, _| Box::pin(async { panic!("lost my head") }));
    let worker = work(test.builder().kind(kind));
    test.enqueue(Order::Fail).await;
    test.enqueue(Order::Done).await;
    until(async || test.states().await.contains_key(&JobState::Completed).then_some(())).await;
    worker.drain().await;
    let heir = work(test.builder());
    until(async || test.states().await.contains_key(&JobState::Discarded).then_some(())).await;
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["never"]);
    heir.drain().await;
}

#[tokio::test]
async fn a_worker_that_lost_its_session_stops_its_jobs_and_opens_a_new_one() {
    let test = TestQueue::new().await;
    let worker = work(test.builder());
    test.enqueue(Order::Wait).await;
    test.begun(1).await;
    // What a leader does to a process that was frozen too long.
    sqlx::query("UPDATE queue.sessions SET ended_at = clock_timestamp()")
        .execute(test.database.pool())
        .await
        .unwrap();
    test.begun(2).await;
    {
        let begun = test.handlers.begun.lock().unwrap();
        assert!(!begun[0].lease_is_fresh(), "the old lease is not to be acted on");
        assert!(begun[1].lease_is_fresh());
        assert_eq!((begun[0].lease_seq(), begun[1].lease_seq()), (1, 2));
        assert!(!begun[0].point_of_no_return(), "the old run was stopped before");
    }
    test.handlers.gate.add_permits(1);
    test.job_in(JobState::Completed).await;
    worker.drain().await;
}

#[tokio::test]
async fn backends_terminated_again_and_again_lose_nothing_and_repeat_nothing() {
    let test = TestQueue::new().await;
    let mut timing = short_timing();
    // No session ends while its worker connects again.
    (timing.ttl, timing.self_fence) = (Duration::from_secs(30), Duration::from_secs(25));
    let worker = work(test.builder().timing(timing));
    let total = 600;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'punctual-queue'";
    for round in 0..6 {
        let jobs = (0..total / 6).map(|_| Job::new(&Task { order: Order::Done }).unwrap()).collect();
        punctual_queue::enqueue_many(&mut *test.conn().await, start_time(), jobs).await.unwrap();
        test.begun(round * total / 6 + 1).await;
        sqlx::query(cut).execute(test.database.pool()).await.unwrap();
    }
    until(async || (test.states().await.get(&JobState::Completed) == Some(&total)).then_some(())).await;
    assert!(!worker.has_ended());
    worker.drain().await;
    let jobs = test.jobs().await;
    // A claim whose answer was cut off leaves its jobs to be rescued; what did begin was not begun again.
    assert_eq!(test.handlers.begun(), total);
    assert!(jobs.iter().all(|job| job.rescues <= 1));
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_given_back() {
    let test = TestQueue::new().await;
    let worker = work(test.builder());
    test.enqueue(Order::Wait).await;
    test.begun(1).await;
    // What a claim leaves that was committed while its connection was cut.
    let lost = test
        .enqueue_job(
            Job::new(&Task { order: Order::Done }).unwrap().run_at(start_time() + chrono::TimeDelta::days(1)),
        )
        .await;
    sqlx::query(
        "UPDATE queue.jobs SET state = 'running', attempt = 1, lease_seq = 1,
             session_id = (SELECT id FROM queue.sessions WHERE ended_at IS NULL)
         WHERE id = $1",
    )
    .bind(lost.id)
    .execute(test.database.pool())
    .await
    .unwrap();
    test.begun(2).await;
    test.handlers.gate.add_permits(1);
    until(async || (test.states().await.get(&JobState::Completed) == Some(&2)).then_some(())).await;
    assert_eq!(test.handlers.begun(), 2, "the one that did run was not begun again");
    assert!(test.jobs().await.iter().all(|job| (job.attempt, job.rescues) == (1, 0)));
    worker.drain().await;
}

#[tokio::test]
async fn what_waits_is_promoted_in_batches_without_a_leader_of_its_own() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let due = start_time() + chrono::TimeDelta::seconds(1);
    let jobs = (0..50).map(|_| Job::new(&Task { order: Order::Done }).unwrap().run_at(due)).collect();
    punctual_queue::enqueue_many(&mut conn, start_time(), jobs).await.unwrap();
    assert_eq!(promote_due(&mut conn, start_time()).await, 0);
    assert_eq!(promote_due(&mut conn, due).await, 50);
}

#[tokio::test]
async fn a_worker_that_can_claim_but_not_write_ends_down_stops_claiming() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let refuse =
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no ends today'; END$$;
        CREATE TRIGGER refuse BEFORE UPDATE ON queue.jobs FOR EACH ROW WHEN (NEW.state = 'completed')
            EXECUTE FUNCTION refuse()";
    sqlx::raw_sql(refuse).execute(&mut *conn).await.unwrap();
    let jobs = (0..2_500).map(|_| Job::new(&Task { order: Order::Done }).unwrap()).collect();
    enqueue_many(&mut conn, start_time(), jobs).await.unwrap();
    let worker = work(test.builder());
    test.begun(2_000).await;
    // It goes on polling and beating without claiming another one.
    let beat = "SELECT beat_at::text FROM queue.sessions";
    for _ in 0..5 {
        let last: String = sqlx::query_scalar(beat).fetch_one(&mut *test.conn().await).await.unwrap();
        until(async || {
            let now: String = sqlx::query_scalar(beat).fetch_one(&mut *test.conn().await).await.unwrap();
            (now != last).then_some(())
        })
        .await;
    }
    assert_eq!(test.handlers.begun(), 2_000);
    sqlx::raw_sql("DROP TRIGGER refuse ON queue.jobs").execute(&mut *conn).await.unwrap();
    until(async || (test.states().await.get(&JobState::Completed) == Some(&2_500)).then_some(())).await;
    assert_eq!(test.handlers.begun(), 2_500, "each ran once");
    worker.drain().await;
}

#[tokio::test]
async fn a_patient_kind_whose_process_died_three_times_is_retried_with_growing_pauses_until_it_expires() {
    let test = TestQueue::new().await;
    let expires = start_time() + TimeDelta::hours(3);
    test.enqueue_job(Job::new(&Task { order: Order::Done }).unwrap().expires_at(expires)).await;
    let (mut conn, kinds) = (test.conn().await, [Task::KIND.to_owned()]);
    let mut now = start_time();
    let mut pauses = Vec::new();
    for death in 1..=6 {
        let victim = ManualWorker::open(&mut conn, now).await;
        let claimed = match death {
            1 => victim.claim(&mut conn, Task::QUEUE, &kinds, 1, now).await.pop(),
            _ => victim.claim_rescued(&mut conn, Task::QUEUE, &kinds, now).await,
        };
        assert!(claimed.is_some(), "claimed before death {death}");
        victim.expire_session(&mut conn, Duration::from_mins(1)).await;
        rescue_retrying_poison(&mut conn, now, Duration::from_secs(1), &kinds).await;
        let job = &test.jobs().await[0];
        assert_eq!(
            (job.rescues, job.attempt),
            (death, i32::from(death.min(2))),
            "a pause gives back its attempt"
        );
        if job.state == JobState::Retryable {
            pauses.push((job.run_at - now).num_seconds());
            now = job.run_at;
            promote_due(&mut conn, now).await;
        }
    }
    assert_eq!(pauses, [15, 30, 60, 120]);
    // Expired, it ends as such and not as poison.
    test.clock.set(expires);
    let mut runtime = TestRuntime::start(test.patient_builder(), test.clock.clone()).await;
    assert_eq!(runtime.run_due_jobs(expires).await, []);
    assert_eq!(*test.handlers.finals.lock().unwrap(), ["expired before it was begun"]);
}

#[tokio::test]
async fn a_patient_poison_job_runs_alone_in_its_process() {
    let test = TestQueue::new().await;
    let waiting = test.enqueue(Order::Wait).await;
    let worker = work(test.patient_builder());
    test.begun(1).await;
    let poison = test.enqueue(Order::Wait).await;
    test.begun(2).await;
    let _ = (waiting, poison);
    // Both wait at the gate; a third, which is poison, starts only when they have ended.
    let mut conn = test.conn().await;
    let third = test
        .enqueue_job(
            Job::new(&Task { order: Order::Wait }).unwrap().run_at(start_time() + TimeDelta::minutes(1)),
        )
        .await;
    sqlx::query("UPDATE queue.jobs SET rescues = 3 WHERE id = $1")
        .bind(third.id)
        .execute(&mut *conn)
        .await
        .unwrap();
    test.clock.advance(TimeDelta::minutes(1));
    let claimed =
        async || test.jobs().await.iter().any(|job| job.id == third.id && job.state == JobState::Running);
    until(async || claimed().await.then_some(())).await;
    let fourth = test.enqueue(Order::Done).await;
    assert_eq!(test.handlers.begun(), 2, "it does not start beside others");
    test.handlers.gate.add_permits(2);
    test.begun(3).await;
    assert_eq!(test.handlers.begun.lock().unwrap()[2].id(), third.id);
    let jobs = test.jobs().await;
    assert!(
        jobs.iter().any(|job| job.id == fourth.id && job.attempt == 0),
        "nothing starts beside it: {jobs:?}"
    );
    test.handlers.gate.add_permits(1);
    test.begun(4).await;
    worker.drain().await;
}

/// A Redis that refuses what workers ask for: said once, counted each time, and no job waits for it.
async fn refused_by_redis(refusal: &[&str]) {
    let Some(redis) = TestRedis::start().await else { return };
    let mut conn =
        redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(refusal[0]);
    for word in &refusal[1..] {
        command.arg(word);
    }
    command.query_async::<()>(&mut conn).await.unwrap();
    let database = TestDatabase::create().await;
    let mut fleet = Fleet::on(&database).await;
    fleet.setup.redis = Some(redis.url());
    let worker = fleet.worker().await;
    fleet.enqueue(0..1, Act::Note).await;
    fleet.reached(JobState::Completed, 1).await;
    wait_for("it is refused again and again", async || {
        (fleet.counted(&worker, "redis_errors_total") >= 4).then_some(())
    })
    .await;
    let log = worker.log();
    let said = log.lines().filter(|line| line.contains("Redis does not work") && line.contains("subscribe"));
    assert_eq!(said.count(), 1, "{log}");
    assert!(worker.stop().await.success());
}

#[tokio::test]
async fn a_redis_that_wants_a_password_is_said_once_and_counted() {
    refused_by_redis(&["CONFIG", "SET", "requirepass", "secret"]).await;
}

#[tokio::test]
async fn a_redis_that_refuses_the_channel_is_said_once_and_counted() {
    refused_by_redis(&["ACL", "SETUSER", "default", "resetchannels"]).await;
}
