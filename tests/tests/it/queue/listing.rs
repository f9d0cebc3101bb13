//! Operators' queries: queues, jobs page by page, one job, workers.

use chrono::TimeDelta;
use punctual_queue::ops::{self, Cursor, JobFilter, Page, Stop};
use punctual_queue::runtime::Timing;
use punctual_queue::testing::TestRuntime;
use punctual_queue::{Job, JobId, JobState, Limit, enqueue_many};
use sqlx::PgConnection;

use super::test_queue::{Order, Task, TestQueue, short_timing, start_time, until, work};

fn job(order: Order) -> Job {
    Job::new(&Task { order }).unwrap()
}

#[tokio::test]
async fn queues_show_their_depths_the_oldest_due_their_settings_and_their_workers() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    test.enqueue(Order::Fail).await;
    test.enqueue(Order::Error).await;
    test.enqueue(Order::Done).await;
    runtime.run_due_jobs(start_time()).await;
    let jobs = vec![
        job(Order::Done).run_at(start_time() + TimeDelta::hours(1)),
        job(Order::Done).run_at(start_time() + TimeDelta::seconds(5)), // due, but nobody has promoted it
        job(Order::Done),
    ];
    enqueue_many(&mut conn, start_time(), jobs).await.unwrap();
    let limit = Limit::per_second(7).burst(3);
    ops::set_limit(&mut conn, start_time(), "tasks", Some(limit)).await.unwrap();
    ops::pause(&mut conn, start_time(), "tasks").await.unwrap();
    ops::pause(&mut conn, start_time(), "an empty one").await.unwrap();

    let now = start_time() + TimeDelta::seconds(10);
    let queues = ops::queues(&mut conn, now).await.unwrap();
    let names: Vec<_> = queues.iter().map(|queue| queue.queue.as_str()).collect();
    assert_eq!(names, ["an empty one", "tasks"]);
    let tasks = &queues[1];
    assert_eq!(
        (tasks.scheduled, tasks.available, tasks.running, tasks.retryable, tasks.discarded),
        (2, 1, 0, 1, 1)
    );
    assert_eq!((tasks.paused, tasks.limit, tasks.key_limit, tasks.workers), (true, Some(limit), None, 1));
    assert_eq!(tasks.oldest_due_age(now).as_secs(), 10);
    assert_eq!(queues[0].oldest_due_age(now).as_secs(), 0);
}

/// All pages of a list, each of two jobs, with the cursor converted to text and back.
async fn walk(conn: &mut PgConnection, filter: &JobFilter) -> Vec<JobId> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let Page { jobs, next } = ops::jobs(conn, filter, after, 2).await.unwrap();
        assert!(jobs.len() <= 2 && (jobs.len() == 2 || next.is_none()));
        seen.extend(jobs.iter().map(|job| job.id));
        let Some(next) = next else { return seen };
        after = Some(next.to_string().parse::<Cursor>().unwrap());
    }
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_in_the_order_of_their_state() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let mut ids = Vec::new();
    for (seconds, priority) in [(40, 0), (10, 5), (20, -5), (20, 0), (10, 0)] {
        let job = job(Order::Done).run_at(start_time() + TimeDelta::seconds(seconds)).priority(priority);
        ids.push(test.enqueue_job(job).await.id);
    }
    let pick = |order: [usize; 5]| order.map(|at| ids[at]).to_vec();
    let scheduled = JobFilter::state(JobState::Scheduled);
    assert_eq!(walk(&mut conn, &scheduled).await, pick([1, 4, 2, 3, 0]), "by time");
    assert_eq!(walk(&mut conn, &scheduled.clone().kind("task.v1").queue("tasks")).await.len(), 5);
    assert_eq!(walk(&mut conn, &scheduled.clone().kind("another.v1")).await, []);
    assert_eq!(walk(&mut conn, &JobFilter::state(JobState::Retryable)).await, []);

    // Two of them as after a rescue: listed like the others.
    sqlx::query(
        "UPDATE queue.jobs SET state = 'available', rescues = CASE WHEN id = ANY ($1) THEN 1 ELSE 0 END",
    )
    .bind([ids[3], ids[0]].map(|id| id.0).to_vec())
    .execute(&mut *conn)
    .await
    .unwrap();
    let available = JobFilter::state(JobState::Available);
    assert_eq!(walk(&mut conn, &available).await, pick([2, 4, 3, 0, 1]), "by priority, then time");
    assert_eq!(walk(&mut conn, &available.clone().kind("task.v1")).await.len(), 5);
    assert_eq!(walk(&mut conn, &available.clone().queue("others")).await, []);

    let mut runtime = TestRuntime::start(test.builder().concurrency(1), test.clock.clone()).await;
    let ran: Vec<_> = runtime.run_due_jobs(start_time() + TimeDelta::minutes(1)).await;
    assert_eq!(ran.len(), 5);
    sqlx::query("UPDATE queue.jobs SET finalized_at = $1::timestamptz + id * interval '1 second'")
        .bind(start_time())
        .execute(&mut *conn)
        .await
        .unwrap();
    let completed = walk(&mut conn, &JobFilter::state(JobState::Completed)).await;
    assert_eq!(completed, pick([4, 3, 2, 1, 0]), "the last ended first");
    assert_eq!(walk(&mut conn, &JobFilter::state(JobState::Discarded)).await, []);
}

#[tokio::test]
async fn one_job_is_shown_with_its_history() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let mut runtime = TestRuntime::start(test.builder(), test.clock.clone()).await;
    let id = test.enqueue_job(job(Order::Error).unique_key("k").max_attempts(3)).await.id;
    runtime.run_due_jobs(start_time()).await;
    let second = start_time() + TimeDelta::minutes(1);
    runtime.run_due_jobs(second).await;
    ops::stop(&mut conn, id, Stop::Discard).await.unwrap();
    let detail = ops::job(&mut conn, id).await.unwrap().unwrap();
    let summary = &detail.summary;
    assert_eq!(
        (summary.state, summary.attempt, summary.stop),
        (JobState::Available, 2, Some(JobState::Discarded))
    );
    assert_eq!(summary.last_error.as_deref(), Some("the printer is on fire"));
    assert_eq!((summary.unique_key.as_deref(), summary.attempted_at), (Some("k"), Some(second)));
    assert_eq!(detail.args, serde_json::json!({ "order": "Error" }));
    let history: Vec<_> =
        detail.errors.iter().map(|error| (error.at, error.attempt, error.error.as_str())).collect();
    assert_eq!(history, [(start_time(), 1, "the printer is on fire"), (second, 2, "the printer is on fire")]);
    assert_eq!(ops::job(&mut conn, JobId(id.0 + 1)).await.unwrap(), None);
}

#[tokio::test]
async fn workers_show_their_heartbeat_what_they_run_and_who_leads() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    // Leases as in production: no busy machine holds up a worker for so long.
    let (mut timing, long) = (short_timing(), Timing::default());
    (timing.leader_lease, timing.ttl, timing.self_fence) = (long.leader_lease, long.ttl, long.self_fence);
    let one = work(test.builder().name("one").timing(timing));
    until(async || {
        ops::workers(&mut *test.conn().await).await.unwrap().iter().any(|worker| worker.leads).then_some(())
    })
    .await;
    test.enqueue(Order::Wait).await;
    test.enqueue(Order::Wait).await;
    test.begun(2).await;
    let two = work(test.builder().name("two").timing(timing));
    let workers = until(async || {
        let workers = ops::workers(&mut *test.conn().await).await.unwrap();
        (workers.len() == 2).then_some(workers)
    })
    .await;
    let seen: Vec<_> = workers.iter().map(|w| (w.name.as_str(), w.running, w.leads)).collect();
    assert_eq!(seen, [("one", 2, true), ("two", 0, false)]);
    assert_eq!(
        (&workers[0].queues[..], &workers[0].kinds[..]),
        (&["tasks".to_owned()][..], &["task.v1".to_owned()][..])
    );
    assert!(workers.iter().all(|worker| worker.since_heartbeat < timing.ttl));
    test.handlers.gate.add_permits(2);
    one.drain().await;
    two.drain().await;
    assert_eq!(ops::workers(&mut conn).await.unwrap(), []);
}
