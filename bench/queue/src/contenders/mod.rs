//! The contenders, set up for throughput as their documentation and benchmarks recommend.

mod apalis_postgres;
mod awa;
mod graphile_worker;
mod punctual;

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;

pub use self::apalis_postgres::ApalisPostgres;
pub use self::awa::Awa;
pub use self::graphile_worker::GraphileWorker;
pub use self::punctual::Punctual;
use crate::recorder::Recorder;

/// Connections of a worker process, where the contender does not set it.
const CONNECTIONS: u32 = 20;
/// Polling interval of a worker.
const POLL: Duration = Duration::from_secs(1);

/// How a worker learns of a newly committed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeUp {
    /// By Redis or by Postgres' NOTIFY, as the contender does it.
    Notified,
    /// By polling, each second.
    Polling,
}

/// When jobs are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Now,
    /// Spread over thirty days, starting tomorrow.
    Later,
}

impl Due {
    /// When this job is due; `None` means immediately.
    #[expect(clippy::disallowed_methods, reason = "jobs are due by the time of this machine")]
    fn at(self, number: u32) -> Option<chrono::DateTime<chrono::Utc>> {
        let spread = chrono::TimeDelta::days(1) + chrono::TimeDelta::minutes(i64::from(number % 43_200));
        (self == Self::Later).then(|| chrono::Utc::now() + spread)
    }
}

/// A job queue as used by a producer and a worker process.
pub trait Contender: Sized {
    /// Whether its workers work without notifications.
    const CAN_POLL: bool = true;

    /// Creates its schema in an empty database.
    async fn install(url: &str) -> Result<()>;

    /// A producer.
    async fn open(url: &str, redis: &str) -> Result<Self>;

    /// Enqueues one due job, commits, and wakes the workers.
    async fn enqueue_one(&mut self, number: u32) -> Result<()>;

    /// Enqueues these jobs in one transaction, by its fastest documented way.
    async fn enqueue_many(&mut self, numbers: Range<u32>, due: Due) -> Result<()>;

    /// How many of the `enqueued` jobs are durably done.
    async fn done(&self, enqueued: u64) -> Result<u64>;

    /// Works until the process ends.
    async fn work(url: &str, redis: Option<&str>, wake_up: WakeUp, recorder: Recorder) -> Result<()>;
}

/// The names of the contenders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    Punctual,
    ApalisPostgres,
    Awa,
    GraphileWorker,
}

impl Which {
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Punctual, Self::ApalisPostgres, Self::Awa, Self::GraphileWorker].into_iter()
    }

    /// Its name on the command line.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Punctual => "punctual",
            Self::ApalisPostgres => "apalis-postgres",
            Self::Awa => "awa",
            Self::GraphileWorker => "graphile-worker",
        }
    }

    /// The name of its crate.
    pub fn name(self) -> &'static str {
        match self {
            Self::Punctual => "punctual-queue",
            Self::ApalisPostgres => "apalis-postgres",
            Self::Awa => "awa",
            Self::GraphileWorker => "graphile_worker",
        }
    }

    /// The version that this program was built with.
    pub fn version(self) -> &'static str {
        let head = format!("name = \"{}\"\nversion = \"", self.name());
        let lock = include_str!("../../Cargo.lock");
        lock.split_once(&head).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(version, _)| version)
    }
}

/// Evaluates an expression with the type of a contender.
macro_rules! for_contender {
    ($which:expr, $C:ident => $body:expr) => {
        match $which {
            $crate::contenders::Which::Punctual => {
                type $C = $crate::contenders::Punctual;
                $body
            }
            $crate::contenders::Which::ApalisPostgres => {
                type $C = $crate::contenders::ApalisPostgres;
                $body
            }
            $crate::contenders::Which::Awa => {
                type $C = $crate::contenders::Awa;
                $body
            }
            $crate::contenders::Which::GraphileWorker => {
                type $C = $crate::contenders::GraphileWorker;
                $body
            }
        }
    };
}
pub(crate) use for_contender;

#[cfg(test)]
mod tests {
    use super::Which;

    #[test]
    fn every_contender_has_a_version() {
        assert!(Which::all().all(|which| !which.version().is_empty()));
        assert_eq!(Which::Awa.version(), "0.6.9");
    }
}
