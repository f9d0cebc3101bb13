//! The worker of chaos runs: the real one in its own process with short leases and SMTP timeouts. Its clock runs ten
//! times as fast as Postgres', so a backoff of 15 s takes 1.5 s.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use punctual_core::config::Config;
use punctual_queue::runtime::Timing;
use punctual_queue::{Clock, ServerClock, Shutdown};
use punctual_worker::smtp::Timeouts;
use punctual_worker::{Options, start};
use sqlx::postgres::PgPoolOptions;

/// Variable with the instant at which the fast clock starts, the same for all workers.
pub const EPOCH: &str = "CHAOS_EPOCH";
/// Seconds of its clock per second of Postgres'.
const SPEED: i32 = 10;

/// Time without a heartbeat after which a worker's jobs are rescued.
pub const TTL: Duration = Duration::from_secs(4);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct FastClock {
    epoch: DateTime<Utc>,
    clock: Arc<ServerClock>,
}

impl Clock for FastClock {
    fn now(&self) -> DateTime<Utc> {
        self.epoch + (self.clock.now() - self.epoch) * SPEED
    }
}

fn timing() -> Timing {
    let mut timing = Timing::default();
    timing.poll = Duration::from_millis(200);
    timing.control = Duration::from_millis(200);
    timing.beat = Duration::from_millis(400);
    timing.beat_deadline = Duration::from_secs(1);
    timing.ttl = TTL;
    timing.self_fence = Duration::from_millis(2500);
    timing.leader_lease = Duration::from_secs(2);
    timing.leader_round = Duration::from_millis(200);
    timing.statement = Duration::from_secs(3);
    timing
}

/// How long it waits for each reply of the mail server.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(2);

fn timeouts() -> Timeouts {
    Timeouts {
        connect: REPLY_TIMEOUT,
        greeting: REPLY_TIMEOUT,
        command: REPLY_TIMEOUT,
        data: REPLY_TIMEOUT,
        end_of_data: REPLY_TIMEOUT,
        ..Timeouts::default()
    }
}

/// Takes jobs until SIGTERM; a second one ends it at once.
#[must_use]
pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(work())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chaos worker: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn work() -> Result<()> {
    let config = Config::from_env()?;
    let _telemetry = punctual_telemetry::start(&config.telemetry, "chaos worker");
    punctual_queue::trace_jobs_with(punctual_telemetry::current_traceparent);
    let epoch = std::env::var(EPOCH)?.parse()?;
    let shutdown = Shutdown::on_signals()?;
    let pool = PgPoolOptions::new().max_connections(1).connect(config.database_url()?.expose()).await?;
    let clock = Arc::new(FastClock { epoch, clock: ServerClock::start(&pool).await? });
    let options =
        Options { clock: Some(clock), timing: timing(), timeouts: timeouts(), ..Options::default() };
    start(&config, options, shutdown).await?.ended().await?;
    Ok(())
}
