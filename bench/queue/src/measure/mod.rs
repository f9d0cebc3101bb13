//! The measurements of each contender.

mod enqueue;
mod faults;
mod latency;
mod throughput;

use anyhow::Result;

pub use faults::{Faults, Pressure, Recovery};
pub use latency::Latency;

use crate::contenders::{Contender, Due, WakeUp, Which};
use crate::database::Server;
use crate::recorder::Watch;
use crate::worker_process::WorkerProcess;

/// Jobs per call of `enqueue_many`.
pub const BATCH: u32 = 10_000;

/// Sizes of the measurements.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Jobs over which a rate is measured.
    pub span: u32,
    /// Jobs of a backlog: due ones, and scheduled ones.
    pub backlog: u32,
    /// Jobs enqueued one by one.
    pub single: u32,
    /// Jobs enqueued in batches.
    pub many: u32,
    /// Samples of the latency with notifications.
    pub notified: u32,
    /// Samples of the latency with polling, of about a second each.
    pub polled: u32,
}

impl Sizes {
    pub const FULL: Self =
        Self { span: 200_000, backlog: 1_000_000, single: 2_000, many: 200_000, notified: 500, polled: 60 };
    pub const QUICK: Self =
        Self { span: 50_000, backlog: 100_000, single: 500, many: 50_000, notified: 100, polled: 10 };
}

/// Environment of one contender's measurements.
pub struct Site<'a> {
    pub server: &'a Server,
    pub redis: &'a str,
    pub which: Which,
    pub sizes: Sizes,
}

/// Results of one contender.
#[derive(Clone, Debug)]
pub struct Measured {
    pub which: Which,
    pub speed: Option<Speed>,
    pub faults: Option<Faults>,
    pub pressure: Option<Pressure>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Rates and latencies of a healthy system.
    Speed,
    /// A worker is killed, the database crashes.
    Faults,
    /// Few connections, a long transaction, slow jobs.
    Pressure,
}

/// Results; rates in jobs per second.
#[derive(Clone, Debug)]
pub struct Speed {
    pub enqueue_one: f64,
    pub enqueue_many: f64,
    pub empty: f64,
    pub due: f64,
    pub due_and_scheduled: f64,
    pub notified: Latency,
    pub polled: Option<Latency>,
}

impl Site<'_> {
    /// Runs the measurements of these parts, each in its own database.
    pub async fn measure<C: Contender>(&self, parts: &[Part]) -> Result<Measured> {
        let speed =
            if parts.contains(&Part::Speed) { Some(Box::pin(self.speed::<C>()).await?) } else { None };
        let faults = if parts.contains(&Part::Faults) {
            Some(Box::pin(faults::measure::<C>(self)).await?)
        } else {
            None
        };
        let pressure = if parts.contains(&Part::Pressure) {
            Some(Box::pin(faults::measure_pressure::<C>(self)).await?)
        } else {
            None
        };
        Ok(Measured { which: self.which, speed, faults, pressure })
    }

    async fn speed<C: Contender>(&self) -> Result<Speed> {
        let Sizes { span, backlog, .. } = self.sizes;
        let (enqueue_one, enqueue_many) = enqueue::measure::<C>(self).await?;
        let notified = latency::measure::<C>(self, WakeUp::Notified).await?;
        let polled =
            if C::CAN_POLL { Some(latency::measure::<C>(self, WakeUp::Polling).await?) } else { None };
        let empty = throughput::measure::<C>(self, &[(span, Due::Now)]).await?;
        let due = throughput::measure::<C>(self, &[(backlog, Due::Now)]).await?;
        let due_and_scheduled =
            throughput::measure::<C>(self, &[(backlog, Due::Later), (backlog, Due::Now)]).await?;
        Ok(Speed { enqueue_one, enqueue_many, empty, due, due_and_scheduled, notified, polled })
    }

    /// An empty database with the contender's schema, and a producer.
    async fn fresh<C: Contender>(&self) -> Result<(SiteDatabase, C)> {
        let name = format!("bench_{}", self.which.argument().replace('-', "_"));
        let url = self.server.fresh(&name).await?;
        C::install(&url).await?;
        let producer = C::open(&url, self.redis).await?;
        Ok((SiteDatabase { name, url }, producer))
    }

    /// Starts a worker process that is notified of jobs.
    fn worker(&self, url: &str, watch: Watch) -> Result<WorkerProcess> {
        WorkerProcess::start(self.which, url, self.redis, WakeUp::Notified, watch)
    }

    /// Reports progress on standard error, because a run takes minutes.
    fn say(&self, what: &str) {
        eprintln!("{}: {what}", self.which.name());
    }
}

/// A database of one measurement.
struct SiteDatabase {
    name: String,
    url: String,
}
