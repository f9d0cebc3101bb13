//! Faults on real processes: one after the other under load, and after each everything is compared with everything.

mod customers;
mod faults;
mod report;
mod rolling;
mod worker;
mod world;

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::checker::Compared;
use customers::Crowd;
pub use faults::{Deed, Fault};
use punctual_testkit::smtp_sink::Verb;
pub use report::Report;
pub use rolling::{Rolled, roll};
pub use worker::main as worker_main;
use world::{Cast, World};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const WORKERS: usize = 2;
const CUSTOMERS: u64 = 3;
/// How long a customer thinks between two wishes.
const THOUGHT: Duration = Duration::from_millis(150);
/// Requests that are answered between two faults.
const CALM: u64 = 10;

/// What stops a run of chaos.
#[derive(Debug)]
pub struct Violation {
    /// What was being done to the system.
    pub fault: Fault,
    /// What differs, or what did not happen.
    pub differences: Vec<String>,
    /// What the programs warned of last.
    pub logs: String,
}

/// A running system and whoever breaks it.
pub struct Chaos {
    world: World,
    rng: SmallRng,
    seed: u64,
    faults: u64,
}

impl Chaos {
    /// Starts everything; `None` where there is no Postgres or no Redis to stop and start.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn begin(seed: u64) -> Result<Option<Self>> {
        let cast = Cast { apis: 1, workers: WORKERS, in_a_hurry: true };
        let Some(world) = World::open(cast).await? else { return Ok(None) };
        Ok(Some(Self { world, rng: SmallRng::seed_from_u64(seed), seed, faults: 0 }))
    }

    /// Does these things one after the other.
    ///
    /// # Errors
    /// The first violation.
    pub async fn suffer(
        &mut self,
        faults: &[Fault],
        report: &mut Report,
    ) -> std::result::Result<(), Box<Violation>> {
        for fault in faults {
            self.suffer_one(*fault, report).await?;
        }
        Ok(())
    }

    /// Does these in ever new orders until the time is up; `progress` hears of each.
    ///
    /// # Errors
    /// The first violation.
    pub async fn suffer_for(
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
                self.suffer_one(fault, report).await?;
            }
        }
    }

    async fn suffer_one(
        &mut self,
        fault: Fault,
        report: &mut Report,
    ) -> std::result::Result<(), Box<Violation>> {
        let began = Instant::now();
        let compared = self.meet(fault).await.map_err(|differences| {
            Box::new(Violation { fault, differences, logs: self.world.complaints_in_logs() })
        })?;
        report.note(fault, began.elapsed(), compared);
        let knowledge = self.world.desk.knowledge();
        report.load(knowledge.requests, knowledge.repeated);
        Ok(())
    }

    /// One fault under load, then rest, then the comparison.
    async fn meet(&mut self, fault: Fault) -> std::result::Result<Compared, Vec<String>> {
        self.faults += 1;
        let crowd_seed = self.seed.wrapping_add(self.faults.wrapping_mul(7_919));
        let crowd = Crowd::gather(&self.world.desk, CUSTOMERS, crowd_seed, THOUGHT);
        self.world.calm(CALM).await;
        let mut rng = SmallRng::seed_from_u64(self.rng.random());
        let done = fault.inject(&mut self.world, &mut rng).await;
        let healed = self.world.heal();
        self.world.calm(CALM).await;
        crowd.disperse().await;
        done.and(healed).map_err(|error| vec![error.to_string()])?;
        self.world.check().await
    }
}

/// What every change is put through: workers that are killed, stopped and frozen in the middle of a send …
pub const TOUR_OF_WORKERS: [Fault; 7] = [
    Fault::KilledAt(Verb::Banner),
    Fault::KilledAt(Verb::Mail),
    Fault::KilledAt(Verb::Rcpt),
    Fault::KilledAt(Verb::Data),
    Fault::KilledAt(Verb::Dot),
    Fault::TerminatedAt(Verb::Dot),
    Fault::FrozenAt(Verb::Data),
];

/// … and servers that are away, silent or rude.
pub const TOUR_OF_SERVERS: [Fault; 12] = [
    Fault::OneSlot,
    Fault::Equal,
    Fault::PostgresRestarted,
    Fault::PostgresCut,
    Fault::PostgresStalled,
    Fault::RedisRestarted,
    Fault::RedisFlushed,
    Fault::Relay(Verb::Rcpt, Deed::NotNow),
    Fault::Relay(Verb::Data, Deed::Stalls),
    Fault::Relay(Verb::Dot, Deed::Cuts),
    Fault::Relay(Verb::Dot, Deed::Refuses),
    Fault::RelayDown,
];
