//! Shared by the queue's tests: one scripted kind of job, and a runtime with short durations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::runtime::{Builder, Timing};
use punctual_queue::testing::{self, StoredJob};
use punctual_queue::{
    BoxError, Data, Enqueued, Job, JobContext, JobState, Kind, ManualClock, Outcome, Payload, Queue, Runtime,
    Shutdown, enqueue,
};
use punctual_testkit::{TestDatabase, wait_for};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::pool::PoolConnection;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The scripted action of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    Done,
    Skip,
    Error,
    Panic,
    Fail,
    Snooze,
    /// Waits until the test lets it go.
    Wait,
    /// Passes its point of no return, then waits.
    WaitForGood,
    /// Completes itself in its own transaction.
    CompleteItself,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Task {
    pub order: Order,
}

impl Payload for Task {
    const KIND: &'static str = "task.v1";
    const QUEUE: &'static str = "tasks";
}

/// What the handlers of a test saw, and the control over them.
#[derive(Clone)]
pub struct HandlerState {
    pub pool: PgPool,
    pub begun: Arc<Mutex<Vec<JobContext>>>,
    pub finals: Arc<Mutex<Vec<String>>>,
    pub gate: Arc<Semaphore>,
}

impl HandlerState {
    pub fn begun(&self) -> usize {
        self.begun.lock().unwrap().len()
    }
}

pub async fn act(task: Task, ctx: JobContext, handlers: Data<HandlerState>) -> Result<Outcome, BoxError> {
    handlers.begun.lock().unwrap().push(ctx.clone());
    match task.order {
        Order::Done => Ok(Outcome::Done),
        Order::Skip => Ok(Outcome::Skip("nothing to do".to_owned())),
        Order::Error => Err("the printer is on fire".into()),
        Order::Panic => panic!("lost my head"),
        Order::Fail => Ok(Outcome::Fail("never".to_owned())),
        Order::Snooze => Ok(Outcome::Snooze {
            until: ctx.now() + TimeDelta::minutes(5),
            reason: "the shop is closed".to_owned(),
        }),
        Order::Wait => {
            handlers.gate.acquire().await?.forget();
            Ok(Outcome::Done)
        }
        Order::WaitForGood => {
            assert!(ctx.point_of_no_return());
            handlers.gate.acquire().await?.forget();
            Ok(Outcome::Done)
        }
        Order::CompleteItself => {
            let mut tx = handlers.pool.begin().await?;
            let completed = ctx.complete_in(&mut tx).await?;
            tx.commit().await?;
            Ok(completed)
        }
    }
}

/// A database, a clock and a handlers.
pub struct TestQueue {
    pub database: TestDatabase,
    pub clock: Arc<ManualClock>,
    pub handlers: HandlerState,
}

/// When the stories begin.
pub fn start_time() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2027-05-04T08:00:00Z").unwrap().to_utc()
}

/// Leases short enough for a test and long enough for a slow machine.
pub fn short_timing() -> Timing {
    let mut timing = Timing::default();
    timing.poll = Duration::from_millis(50);
    timing.control = Duration::from_millis(50);
    timing.beat = Duration::from_millis(100);
    timing.ttl = Duration::from_secs(2);
    timing.self_fence = Duration::from_millis(1500);
    timing.leader_lease = Duration::from_secs(1);
    timing.leader_round = Duration::from_millis(50);
    timing.redis = Duration::from_secs(2);
    timing
}

impl TestQueue {
    pub async fn new() -> Self {
        let database = TestDatabase::create().await;
        let handlers = HandlerState {
            pool: database.pool().clone(),
            begun: Arc::default(),
            finals: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        };
        Self { database, clock: ManualClock::at(start_time()), handlers }
    }

    pub async fn conn(&self) -> PoolConnection<sqlx::Postgres> {
        self.database.pool().acquire().await.unwrap()
    }

    pub fn builder(&self) -> Builder {
        self.builder_of(|kind| kind)
    }

    /// With a kind whose jobs are retried however often their process died.
    pub fn patient_builder(&self) -> Builder {
        self.builder_of(Kind::retry_poison_until_expiry)
    }

    fn builder_of(&self, change: impl FnOnce(Kind) -> Kind) -> Builder {
        let kind = Kind::new::<Task, _, _>(act).on_final({
            let finals = Arc::clone(&self.handlers.finals);
            move |_, job| {
                let finals = Arc::clone(&finals);
                Box::pin(async move {
                    finals.lock().unwrap().push(job.why.note());
                    Ok(None)
                })
            }
        });
        Runtime::builder(self.database.pool().clone(), self.clock.clone())
            .timing(short_timing())
            .queue(Queue::new("tasks").concurrency(20))
            .data(self.handlers.clone())
            .kind(change(kind))
    }

    pub async fn enqueue(&self, order: Order) -> Enqueued {
        self.enqueue_job(Job::new(&Task { order }).unwrap()).await
    }

    pub async fn enqueue_job(&self, job: Job) -> Enqueued {
        use punctual_queue::Clock as _;
        enqueue(&mut *self.conn().await, self.clock.now(), job).await.unwrap()
    }

    pub async fn jobs(&self) -> Vec<StoredJob> {
        testing::jobs(&mut *self.conn().await, None).await
    }

    /// Waits until the only job is in this state; returns it.
    pub async fn job_in(&self, state: JobState) -> StoredJob {
        until(async || {
            let jobs = self.jobs().await;
            assert_eq!(jobs.len(), 1);
            (jobs[0].state == state).then(|| jobs[0].clone())
        })
        .await
    }

    pub async fn states(&self) -> HashMap<JobState, usize> {
        let mut states = HashMap::new();
        for job in self.jobs().await {
            *states.entry(job.state).or_insert(0) += 1;
        }
        states
    }

    pub async fn begun(&self, count: usize) {
        until(async || (self.handlers.begun() >= count).then_some(())).await;
    }
}

/// Starts a worker.
pub fn work(builder: Builder) -> Worker {
    let shutdown = Shutdown::new();
    let running = tokio::spawn(builder.build().unwrap().run(shutdown.clone()));
    Worker { shutdown, running: Some(running) }
}

/// A running worker.
pub struct Worker {
    pub shutdown: Shutdown,
    running: Option<JoinHandle<punctual_queue::Result<()>>>,
}

impl Worker {
    /// Drains it and waits for its end.
    pub async fn drain(mut self) {
        self.shutdown.drain();
        self.running.take().unwrap().await.unwrap().unwrap();
    }

    pub fn has_ended(&self) -> bool {
        self.running.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it like SIGKILL: nothing more is written.
    pub async fn kill(mut self) {
        let running = self.running.take().unwrap();
        running.abort();
        let _ = running.await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

/// Waits until the question has an answer.
pub async fn until<T>(question: impl AsyncFn() -> Option<T>) -> T {
    wait_for("the condition", question).await
}
