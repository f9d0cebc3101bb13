//! A worker process whose jobs write a journal, for tests in which processes die.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use punctual_queue::runtime::Timing;
use punctual_queue::{
    BoxError, Data, JobContext, Kind, Limit, Outcome, Payload, Queue, Runtime, ServerClock, Shutdown,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use tokio::time::sleep;

/// What a job does between its two journal lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Nothing.
    Note,
    /// Sleeps for these milliseconds.
    Slow(u64),
    /// Waits until the gate file exists.
    Hold,
    /// Passes its point of no return, then waits for the gate file.
    HoldFirmly,
    /// Aborts its process, as a crash in native code would.
    Abort,
}

/// A job of these tests.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Probe {
    /// Its number.
    pub n: usize,
    /// Its action.
    pub act: Act,
}

impl Payload for Probe {
    const KIND: &'static str = "probe.v1";
    const QUEUE: &'static str = "probes";
    const TIMEOUT: Duration = Duration::from_hours(1);
}

/// Setup of a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// URL of Postgres.
    pub database: String,
    /// URL of Redis.
    pub redis: Option<String>,
    /// The file to which all workers of a test append.
    pub journal: PathBuf,
    /// The file that releases held jobs once it exists.
    pub gate: PathBuf,
    /// How many jobs run at once.
    pub concurrency: u32,
    /// Jobs per second over all workers, and the burst.
    pub limit: Option<(u32, u32)>,
    /// Whether leases are short instead of the production durations.
    pub short_leases: bool,
    /// Shutdown grace for running jobs, in milliseconds.
    pub grace_ms: u64,
}

impl Setup {
    /// The durations of leases and polling.
    #[must_use]
    pub fn timing(&self) -> Timing {
        let mut timing = Timing::default();
        timing.grace = Duration::from_millis(self.grace_ms);
        if self.short_leases {
            timing.poll = Duration::from_millis(100);
            timing.control = Duration::from_millis(100);
            timing.beat = Duration::from_millis(300);
            timing.ttl = Duration::from_secs(3);
            timing.self_fence = Duration::from_secs(2);
            timing.leader_lease = Duration::from_secs(2);
            timing.leader_round = Duration::from_millis(100);
        }
        timing
    }

    /// The file to which the worker with this process id writes its metrics, ten times a second.
    #[must_use]
    pub fn metrics(&self, pid: u32) -> PathBuf {
        self.journal.with_extension(format!("{pid}.metrics"))
    }
}

/// The event of a journal line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A run began.
    Begin,
    /// A run ended.
    End,
    /// The queue ended the job without success.
    Final,
}

/// A line of the journal.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Line {
    /// The event.
    pub event: Event,
    /// The job's number.
    pub n: usize,
    /// Fencing token of the run.
    pub lease_seq: i64,
    /// Whether the lease was fresh.
    pub fresh: bool,
    /// Process id of the worker.
    pub pid: u32,
    /// Time in microseconds since 1970 by the clock of Postgres.
    pub at: i64,
}

/// Reads a journal, without a last line cut short by a kill.
///
/// # Errors
///
/// When the file exists and cannot be read.
pub fn read_journal(path: &Path) -> std::io::Result<Vec<Line>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path)?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

#[derive(Debug, Clone)]
struct Journal {
    setup: Setup,
}

impl Journal {
    /// One write to a file opened for appending: atomic beside other processes and before a kill.
    fn note(&self, event: Event, n: usize, lease_seq: i64, fresh: bool, at: i64) -> Result<(), BoxError> {
        let line = Line { event, n, lease_seq, fresh, pid: std::process::id(), at };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        let mut journal = OpenOptions::new().create(true).append(true).open(&self.setup.journal)?;
        Ok(journal.write_all(text.as_bytes())?)
    }

    fn note_run(&self, event: Event, n: usize, ctx: &JobContext) -> Result<(), BoxError> {
        self.note(event, n, ctx.lease_seq(), ctx.lease_is_fresh(), ctx.now().timestamp_micros())
    }

    async fn gate(&self) {
        while !self.setup.gate.exists() {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn act(probe: Probe, ctx: JobContext, journal_file: Data<Journal>) -> Result<Outcome, BoxError> {
    journal_file.note_run(Event::Begin, probe.n, &ctx)?;
    match probe.act {
        Act::Note => {}
        Act::Slow(millis) => sleep(Duration::from_millis(millis)).await,
        Act::Hold => journal_file.gate().await,
        Act::HoldFirmly => {
            if !ctx.point_of_no_return() {
                return Err("it is being stopped".into());
            }
            journal_file.gate().await;
        }
        Act::Abort => std::process::abort(),
    }
    journal_file.note_run(Event::End, probe.n, &ctx)?;
    Ok(Outcome::Done)
}

/// Entry point of `tests-queue-worker`: runs until it is stopped.
///
/// # Errors
///
/// When the setup cannot be read or the runtime cannot start.
pub async fn run() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    let setup: Setup = serde_json::from_str(&std::env::args().nth(1).ok_or("a setup is missing")?)?;
    let metrics = PrometheusBuilder::new().install_recorder()?;
    tokio::spawn(publish(metrics, setup.metrics(std::process::id())));
    let shutdown = Shutdown::on_signals()?;
    let pool = PgPoolOptions::new().max_connections(4).connect(&setup.database).await?;
    let clock = ServerClock::start(&pool).await?;
    let journal_file = Journal { setup: setup.clone() };
    let finals = journal_file.clone();
    let mut queue = Queue::new(Probe::QUEUE).concurrency(setup.concurrency);
    if let Some((count, burst)) = setup.limit {
        queue = queue.limit(Limit::per_second(count).burst(burst));
    }
    let kind = Kind::new::<Probe, _, _>(act).on_final(move |_, job| {
        let finals = finals.clone();
        Box::pin(async move {
            let probe: Probe = serde_json::from_value(job.args.clone())?;
            finals.note(Event::Final, probe.n, job.info.lease_seq, true, 0)?;
            Ok(None)
        })
    });
    Runtime::builder(pool, clock)
        .redis(setup.redis.as_deref(), "probes:")
        .name(format!("probe {}", std::process::id()))
        .concurrency(setup.concurrency)
        .timing(setup.timing())
        .queue(queue)
        .data(journal_file)
        .kind(kind)
        .build()?
        .run(shutdown)
        .await?;
    Ok(())
}

async fn publish(metrics: PrometheusHandle, path: PathBuf) {
    let draft = path.with_extension("draft");
    loop {
        metrics.run_upkeep();
        // Readers see a whole file, the new or the previous one.
        let written = fs::write(&draft, metrics.render()).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written {
            tracing::warn!(error = %error, "the metrics can't be written");
        }
        sleep(Duration::from_millis(100)).await;
    }
}
