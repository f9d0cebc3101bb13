//! Random steps of several workers against a model in memory: after each step the two agree on every job.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use punctual_queue::testing::{self, ManualLease, ManualWorker, promote_due, rescue_expired};
use punctual_queue::{Cancelled, Job, JobId, JobState, cancel, enqueue};
use sqlx::PgConnection;

use super::test_queue::{Order, Task, TestQueue, start_time};

const WORKERS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Enqueue { delay: i64, key: Option<u8>, priority: i16 },
    Claim { worker: usize, count: i64 },
    ClaimRescued { worker: usize },
    Done { lease: usize },
    Fail { lease: usize, delay: i64 },
    Snooze { lease: usize, delay: i64 },
    GiveBack { lease: usize },
    Discard { lease: usize },
    Cancel { job: usize },
    Die { worker: usize },
    Promote,
    Later { seconds: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let lease = 0..1000_usize;
    let worker = 0..WORKERS;
    prop_oneof![
        5 => (0..40_i64, prop::option::of(0..4_u8), -1..2_i16)
            .prop_map(|(delay, key, priority)| Step::Enqueue { delay: (delay - 20).max(0), key, priority }),
        5 => (worker.clone(), 1..4_i64).prop_map(|(worker, count)| Step::Claim { worker, count }),
        2 => worker.clone().prop_map(|worker| Step::ClaimRescued { worker }),
        3 => lease.clone().prop_map(|lease| Step::Done { lease }),
        2 => (lease.clone(), 0..30_i64).prop_map(|(lease, delay)| Step::Fail { lease, delay }),
        1 => (lease.clone(), 0..30_i64).prop_map(|(lease, delay)| Step::Snooze { lease, delay }),
        1 => lease.clone().prop_map(|lease| Step::GiveBack { lease }),
        1 => lease.clone().prop_map(|lease| Step::Discard { lease }),
        1 => lease.prop_map(|job| Step::Cancel { job }),
        1 => worker.prop_map(|worker| Step::Die { worker }),
        3 => Just(Step::Promote),
        2 => (1..30_i64).prop_map(|seconds| Step::Later { seconds }),
    ]
}

/// A job as the rules say it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    state: JobState,
    attempt: i32,
    lease_seq: i64,
    run_at: DateTime<Utc>,
    rescues: i16,
    snoozes: i32,
    errors: usize,
    key: Option<u8>,
    priority: i16,
    worker: Option<usize>,
    stop: bool,
}

struct Model {
    now: DateTime<Utc>,
    jobs: BTreeMap<JobId, Expected>,
    leases: Vec<ManualLease>,
    workers: Vec<ManualWorker>,
}

impl Model {
    async fn take(&mut self, conn: &mut PgConnection, step: Step) {
        let kinds = ["task.v1".to_owned()];
        match step {
            Step::Enqueue { delay, key, priority } => self.enqueue(conn, delay, key, priority).await,
            Step::Claim { worker, count } => {
                let claimed = self.workers[worker].claim(conn, "tasks", &kinds, count, self.now).await;
                let mut ready: Vec<_> = self.available(false);
                ready.truncate(usize::try_from(count).unwrap());
                let mut ids: Vec<_> = claimed.iter().map(|held| held.id).collect();
                ids.sort();
                ready.sort();
                assert_eq!(ids, ready, "the first by priority, due time and id are claimed");
                for held in claimed {
                    self.lease(worker, held);
                }
            }
            Step::ClaimRescued { worker } => {
                let claimed = self.workers[worker].claim_rescued(conn, "tasks", &kinds, self.now).await;
                assert_eq!(claimed.as_ref().map(|held| held.id), self.available(true).first().copied());
                if let Some(held) = claimed {
                    self.lease(worker, held);
                }
            }
            Step::Done { lease } => {
                let Some(held) = self.pick(lease) else { return };
                let changed = held.done(conn, self.now).await;
                self.settled(&held, changed, |job, _| job.state = JobState::Completed);
            }
            Step::Fail { lease, delay } => {
                let Some(held) = self.pick(lease) else { return };
                let at = self.now + TimeDelta::seconds(delay);
                let changed = held.fail(conn, self.now, at).await;
                self.settled(&held, changed, |job, _| {
                    (job.state, job.run_at, job.rescues, job.errors) = (waiting(job), at, 0, job.errors + 1);
                });
            }
            Step::Snooze { lease, delay } => {
                let Some(held) = self.pick(lease) else { return };
                let until = self.now + TimeDelta::seconds(delay);
                let changed = held.snooze(conn, self.now, until).await;
                self.settled(&held, changed, |job, _| {
                    (job.state, job.run_at) = (waiting(job), until);
                    (job.attempt, job.snoozes) = (job.attempt - 1, job.snoozes + 1);
                });
            }
            Step::GiveBack { lease } => {
                let Some(held) = self.pick(lease) else { return };
                let changed = held.give_back(conn, self.now).await;
                self.settled(&held, changed, |job, _| {
                    (job.state, job.attempt) = (JobState::Available, job.attempt - 1);
                });
            }
            Step::Discard { lease } => {
                let Some(held) = self.pick(lease) else { return };
                let changed = held.discard(conn, self.now).await;
                self.settled(&held, changed, |job, _| job.state = JobState::Discarded);
            }
            Step::Cancel { job } => self.cancel(conn, job).await,
            Step::Die { worker } => {
                self.workers[worker].expire_session(conn, Duration::from_hours(1)).await;
                let rescued = rescue_expired(conn, Duration::from_mins(10)).await;
                let held: Vec<_> = self.jobs.values_mut().filter(|job| job.worker == Some(worker)).collect();
                assert_eq!(rescued, held.len());
                for job in held {
                    (job.state, job.worker) = (JobState::Available, None);
                    (job.rescues, job.errors) = (job.rescues + 1, job.errors + 1);
                }
                assert!(!self.workers[worker].beat(conn).await);
                self.workers[worker] = ManualWorker::open(conn, self.now).await;
            }
            Step::Promote => {
                let promoted = promote_due(conn, self.now).await;
                let due: Vec<_> = self
                    .jobs
                    .values_mut()
                    .filter(|job| matches!(job.state, JobState::Scheduled | JobState::Retryable))
                    .filter(|job| job.run_at <= self.now)
                    .collect();
                assert_eq!(promoted, due.len());
                for job in due {
                    job.state = JobState::Available;
                }
            }
            Step::Later { seconds } => self.now += TimeDelta::seconds(seconds),
        }
    }

    async fn enqueue(&mut self, conn: &mut PgConnection, delay: i64, key: Option<u8>, priority: i16) {
        let run_at = self.now + TimeDelta::seconds(delay);
        let mut job = Job::new(&Task { order: Order::Done }).unwrap().run_at(run_at).priority(priority);
        if let Some(key) = key {
            job = job.unique_key(key.to_string());
        }
        let enqueued = enqueue(conn, self.now, job).await.unwrap();
        let holder =
            self.jobs.iter().find(|(_, job)| key.is_some() && job.key == key && !job.state.is_final());
        assert_eq!(holder.map(|(id, _)| *id), (!enqueued.inserted).then_some(enqueued.id));
        if enqueued.inserted {
            let state = if delay > 0 { JobState::Scheduled } else { JobState::Available };
            let job = Expected {
                state,
                attempt: 0,
                lease_seq: 0,
                run_at,
                rescues: 0,
                snoozes: 0,
                errors: 0,
                key,
                priority,
                worker: None,
                stop: false,
            };
            self.jobs.insert(enqueued.id, job);
        }
    }

    async fn cancel(&mut self, conn: &mut PgConnection, job: usize) {
        let Some(id) = self.jobs.keys().nth(job % self.jobs.len().max(1)).copied() else { return };
        let answer = cancel(conn, self.now, id).await.unwrap();
        let job = self.jobs.get_mut(&id).unwrap();
        let expected = match job.state {
            JobState::Running => Cancelled::Asked,
            state if state.is_final() => Cancelled::NotLive,
            _ => Cancelled::Now,
        };
        assert_eq!(answer, expected);
        match expected {
            Cancelled::Now => job.state = JobState::Cancelled,
            Cancelled::Asked => job.stop = true,
            Cancelled::NotLive => {}
        }
    }

    fn available(&self, rescued: bool) -> Vec<JobId> {
        let mut ready: Vec<_> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.state == JobState::Available && (job.rescues > 0) == rescued)
            .map(|(id, job)| (job.priority, job.run_at, *id))
            .collect();
        ready.sort();
        ready.into_iter().map(|(_, _, id)| id).collect()
    }

    fn lease(&mut self, worker: usize, held: ManualLease) {
        let job = self.jobs.get_mut(&held.id).unwrap();
        (job.state, job.worker) = (JobState::Running, Some(worker));
        (job.attempt, job.lease_seq) = (job.attempt + 1, job.lease_seq + 1);
        assert_eq!((held.attempt, held.lease_seq, held.rescues), (job.attempt, job.lease_seq, job.rescues));
        self.leases.push(held);
    }

    /// Any lease that was ever handed out, also one that was settled or lost long ago.
    fn pick(&self, lease: usize) -> Option<ManualLease> {
        self.leases.get(lease % self.leases.len().max(1)).cloned()
    }

    fn settled(&mut self, held: &ManualLease, changed: bool, apply: impl Fn(&mut Expected, &ManualLease)) {
        let job = self.jobs.get_mut(&held.id).unwrap();
        let holds = job.state == JobState::Running && job.lease_seq == held.lease_seq;
        assert_eq!(changed, holds, "exactly the holder of the newest lease changes the job");
        if holds {
            apply(job, held);
            job.worker = None;
        }
    }

    async fn compare(&self, conn: &mut PgConnection) {
        let stored = testing::jobs(conn, None).await;
        assert_eq!(stored.len(), self.jobs.len());
        for job in stored {
            let expected = &self.jobs[&job.id];
            let found = (job.state, job.attempt, job.lease_seq, job.run_at, job.rescues, job.snoozes);
            let wanted = (
                expected.state,
                expected.attempt,
                expected.lease_seq,
                expected.run_at,
                expected.rescues,
                expected.snoozes,
            );
            assert_eq!(found, wanted, "{job:?}");
            assert_eq!(job.errors.as_array().unwrap().len(), expected.errors);
        }
    }
}

/// A job whose stop was requested does not wait again.
fn waiting(job: &Expected) -> JobState {
    if job.stop { JobState::Available } else { JobState::Retryable }
}

#[test]
fn random_steps_of_several_workers_agree_with_the_model() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = tokio.block_on(TestQueue::new());
    let config =
        Config { cases: 256, max_shrink_iters: 2000, failure_persistence: None, ..Config::default() };
    let cases = TestRunner::new(config).run(&prop::collection::vec(step(), 1..60), |steps| {
        tokio.block_on(async {
            let mut conn = test.conn().await;
            sqlx::raw_sql("TRUNCATE queue.jobs, queue.sessions").execute(&mut *conn).await.unwrap();
            let mut model =
                Model { now: start_time(), jobs: BTreeMap::new(), leases: Vec::new(), workers: Vec::new() };
            for _ in 0..WORKERS {
                model.workers.push(ManualWorker::open(&mut conn, start_time()).await);
            }
            for step in steps {
                model.take(&mut conn, step).await;
            }
            model.compare(&mut conn).await;
        });
        Ok(())
    });
    tokio.block_on(async move { drop(test) });
    if let Err(failure) = cases {
        panic!("{failure}");
    }
}
