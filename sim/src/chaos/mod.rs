//! Faults on real processes: one after the other under load, with a comparison of all state after each.

mod crowd;
mod customers;
mod deployment;
mod faults;
mod freeze;
mod inject;
mod inject_hooks;
mod report;
mod rolling;
mod webhooks;
mod worker;

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::checker::{Compared, Counted};
use customers::Load;
use deployment::{Deployment, Size};
pub use faults::{Fault, HookStep, RelayFault};
use punctual_testkit::smtp_sink::Verb;
pub use report::Report;
pub use rolling::{Rolled, roll};
pub use worker::main as worker_main;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const WORKERS: usize = 2;
const CUSTOMERS: u64 = 3;
/// A customer's pause between two requests.
const THINK_TIME: Duration = Duration::from_millis(150);
/// Requests answered between two faults.
const ANSWERS_BETWEEN_FAULTS: u64 = 10;

/// A violation, which stops the run.
#[derive(Debug)]
pub struct Violation {
    /// The fault that was injected.
    pub fault: Fault,
    /// Differences found, or what did not happen.
    pub differences: Vec<String>,
    /// The programs' last warnings.
    pub logs: String,
}

/// A running system with fault injection.
pub struct Chaos {
    deployment: Deployment,
    rng: SmallRng,
    seed: u64,
    faults: u64,
}

impl Chaos {
    /// Starts everything; `None` without a local Postgres and Redis to stop and start.
    ///
    /// # Errors
    ///
    /// When something does not start.
    pub async fn begin(seed: u64) -> Result<Option<Self>> {
        let size = Size { apis: 1, workers: WORKERS, accelerated: true };
        let Some(deployment) = Deployment::open(size).await? else { return Ok(None) };
        Ok(Some(Self { deployment, rng: SmallRng::seed_from_u64(seed), seed, faults: 0 }))
    }

    /// Injects these faults one after the other.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn run(
        &mut self,
        faults: &[Fault],
        report: &mut Report,
    ) -> std::result::Result<(), Box<Violation>> {
        for fault in faults {
            self.run_one(*fault, report).await?;
        }
        Ok(())
    }

    /// Injects these faults in random orders until the time is over; `progress` is called after each.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn run_for(
        &mut self,
        time: Duration,
        faults: &[Fault],
        report: &mut Report,
        progress: impl Fn(&Report, Fault),
    ) -> std::result::Result<(), Box<Violation>> {
        let began = Instant::now();
        loop {
            let mut round = faults.to_vec();
            round.shuffle(&mut self.rng);
            for fault in round {
                if began.elapsed() >= time {
                    return Ok(());
                }
                progress(report, fault);
                self.run_one(fault, report).await?;
            }
        }
    }

    async fn run_one(
        &mut self,
        fault: Fault,
        report: &mut Report,
    ) -> std::result::Result<(), Box<Violation>> {
        let began = Instant::now();
        let compared = self.inject_and_check(fault).await.map_err(|differences| {
            Box::new(Violation { fault, differences, logs: self.deployment.warnings_in_logs() })
        })?;
        report.note(fault, began.elapsed(), compared.0, compared.1);
        let observed = self.deployment.api_client.observed();
        report.load(observed.requests, observed.repeated);
        Ok(())
    }

    /// One fault under load, a wait until the system is idle, and the comparison.
    async fn inject_and_check(
        &mut self,
        fault: Fault,
    ) -> std::result::Result<(Compared, Counted), Vec<String>> {
        self.faults += 1;
        let load_seed = self.seed.wrapping_add(self.faults.wrapping_mul(7_919));
        let load = Load::start(&self.deployment.api_client, CUSTOMERS, load_seed, THINK_TIME);
        self.deployment.wait_for_answers(ANSWERS_BETWEEN_FAULTS).await;
        let mut rng = SmallRng::seed_from_u64(self.rng.random());
        let done = fault.inject(&mut self.deployment, &mut rng).await;
        let healed = self.deployment.heal();
        self.deployment.wait_for_answers(ANSWERS_BETWEEN_FAULTS).await;
        load.stop().await;
        done.and(healed).map_err(|error| vec![error.to_string()])?;
        self.deployment.check().await
    }
}

/// The faults that `cargo test` runs: workers killed, stopped and frozen during a send …
pub const TOUR_OF_WORKERS: [Fault; 7] = [
    Fault::KilledAt(Verb::Banner),
    Fault::KilledAt(Verb::Mail),
    Fault::KilledAt(Verb::Rcpt),
    Fault::KilledAt(Verb::Data),
    Fault::KilledAt(Verb::Dot),
    Fault::TerminatedAt(Verb::Dot),
    Fault::FrozenAt(Verb::Data),
];

/// … workers killed at each step of a webhook's delivery, and endpoints that are down …
pub const TOUR_OF_WEBHOOKS: [Fault; 8] = [
    Fault::FanOutKilled,
    Fault::HookKilledAt(HookStep::Unread),
    Fault::HookKilledAt(HookStep::Unanswered),
    Fault::HookKilledAt(HookStep::HalfAnswered),
    Fault::HookKilledAt(HookStep::Unrecorded),
    Fault::HookTerminated,
    Fault::HookFrozen,
    Fault::HooksDown,
];

/// … and servers that are down, do not answer, or refuse.
pub const TOUR_OF_SERVERS: [Fault; 12] = [
    Fault::OneSlot,
    Fault::Equal,
    Fault::PostgresRestarted,
    Fault::PostgresCut,
    Fault::PostgresStalled,
    Fault::RedisRestarted,
    Fault::RedisFlushed,
    Fault::Relay(Verb::Rcpt, RelayFault::NotNow),
    Fault::Relay(Verb::Data, RelayFault::Stalls),
    Fault::Relay(Verb::Dot, RelayFault::Cuts),
    Fault::Relay(Verb::Dot, RelayFault::Refuses),
    Fault::RelayDown,
];
