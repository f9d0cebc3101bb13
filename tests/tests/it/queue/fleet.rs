//! Shared by tests with real worker processes. `PUNCTUAL_TEST_DURATIONS=full` runs them with production durations and
//! checks the measured figures; otherwise leases are short and only the results are checked.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use chrono::{DateTime, Utc};
use punctual_queue::ops::WorkerStatus;
use punctual_queue::testing::{self, StoredJob};
use punctual_queue::{Clock as _, Job, JobState, ServerClock, enqueue_many, ops};
use punctual_testkit::probe::{Act, Event, Line, Probe, Setup, read_journal};
use punctual_testkit::{Condition, Process, TestDatabase, program_alone, wait_at_most};
use tempfile::TempDir;

/// Whether tests run with full durations.
pub fn full() -> bool {
    std::env::var("PUNCTUAL_TEST_DURATIONS").is_ok_and(|value| value == "full")
}

/// `long` with full durations, else `short`.
pub fn long_or_short<T>(long: T, short: T) -> T {
    if full() { long } else { short }
}

/// Worker processes on one database, with their journal.
pub struct Fleet<'a> {
    pub database: &'a TestDatabase,
    pub setup: Setup,
    clock: std::sync::Arc<ServerClock>,
    _folder: TempDir,
}

impl<'a> Fleet<'a> {
    pub async fn on(database: &'a TestDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup {
            database: database.url().to_owned(),
            redis: None,
            journal: folder.path().join("journal"),
            gate: folder.path().join("gate"),
            concurrency: 60,
            limit: None,
            short_leases: !full(),
            grace_ms: 30_000,
        };
        let clock = ServerClock::start(database.pool()).await.unwrap();
        Self { database, setup, clock, _folder: folder }
    }

    /// Starts a worker and waits until its session is open.
    pub async fn worker(&self) -> Process {
        let mut command = program_alone("queue-worker");
        command.arg(serde_json::to_string(&self.setup).unwrap());
        let mut worker = Process::spawn("queue worker", command).await;
        let name = format!("probe {}", worker.pid());
        wait_for("the worker opens a session", async || {
            self.workers().await.iter().any(|status| status.name == name).then_some(())
        })
        .await;
        assert!(!worker.has_ended());
        worker
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Enqueues jobs with these numbers.
    pub async fn enqueue(&self, numbers: std::ops::Range<usize>, act: Act) {
        let jobs = numbers.map(|n| Job::new(&Probe { n, act }).unwrap()).collect();
        let mut conn = self.database.pool().acquire().await.unwrap();
        enqueue_many(&mut conn, self.now(), jobs).await.unwrap();
    }

    pub fn open_gate(&self) {
        fs::write(&self.setup.gate, "").unwrap();
    }

    pub fn close_gate(&self) {
        fs::remove_file(&self.setup.gate).unwrap();
    }

    pub fn journal(&self) -> Vec<Line> {
        read_journal(&self.setup.journal).unwrap()
    }

    /// How often each job had this event.
    pub fn times(&self, event: Event) -> HashMap<usize, usize> {
        let mut times = HashMap::new();
        for line in self.journal().iter().filter(|line| line.event == event) {
            *times.entry(line.n).or_insert(0) += 1;
        }
        times
    }

    /// Waits until this many runs have begun.
    pub async fn begun(&self, count: usize) {
        wait_for(&format!("{count} runs begin"), async || {
            (self.times(Event::Begin).values().sum::<usize>() >= count).then_some(())
        })
        .await;
    }

    pub async fn jobs(&self) -> Vec<StoredJob> {
        testing::jobs(&mut self.database.pool().acquire().await.unwrap(), None).await
    }

    pub async fn in_state(&self, state: JobState) -> usize {
        let count = "SELECT count(*) FROM queue.jobs WHERE state = $1";
        let jobs: Result<i64, _> =
            sqlx::query_scalar(count).bind(state).fetch_one(self.database.pool()).await;
        // While Postgres is down no state is known.
        jobs.map_or(0, |jobs| usize::try_from(jobs).unwrap())
    }

    /// Waits until this many jobs are in this state.
    pub async fn reached(&self, state: JobState, count: usize) {
        wait_for(&format!("{count} jobs are {state:?}"), async || {
            (self.in_state(state).await >= count).then_some(())
        })
        .await;
    }

    pub async fn workers(&self) -> Vec<WorkerStatus> {
        ops::workers(&mut self.database.pool().acquire().await.unwrap()).await.unwrap()
    }

    /// Waits until the worker is the leader.
    pub async fn leads(&self, worker: &Process) {
        let name = format!("probe {}", worker.pid());
        wait_for("the worker leads", async || {
            self.workers().await.iter().any(|status| status.name == name && status.leads).then_some(())
        })
        .await;
    }

    /// The value of a worker's counter, over all labels.
    pub fn counted(&self, worker: &Process, metric: &str) -> u64 {
        let text = fs::read_to_string(self.setup.metrics(worker.pid())).unwrap_or_default();
        let samples = text
            .lines()
            .filter(|line| line.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' '])));
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }
}

/// Waits for a condition, at most five minutes: runs with full durations take as long.
pub async fn wait_for<C: Condition>(what: &str, condition: impl AsyncFnMut() -> C) -> C::Value {
    wait_at_most(Duration::from_mins(5), what, condition).await
}

/// Prints a figure, shown with `--nocapture`.
pub fn figure(text: &str) {
    println!("queue, {} durations: {text}", long_or_short("full", "short"));
}
