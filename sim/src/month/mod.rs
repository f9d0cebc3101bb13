//! A simulated month: customers book, move, cancel and hold over HTTP; staff confirm, decline and mark; the mail server
//! sometimes fails. The clock jumps between events and stops whenever a mail falls due. Then a checker compares
//! everything.
//!
//! Api and workers are the real code in this process, on a real Postgres and by SMTP; only the clock is simulated. The
//! seed decides who does what and when, but not who wins a race for a slot: customers of one instant act concurrently.

mod customer;
mod simulation;
mod staff;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::future::join_all;

use crate::checker::{self, Acknowledged, Observations, Report};
use crate::dice::Dice;
use customer::Customer;
use punctual_testkit::smtp_sink::{Act, Verb};
use simulation::Simulation;

/// An error outside of what is tested.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// Parameters of a run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed; decides everything except races.
    pub seed: u64,
    /// How many customers.
    pub customers: usize,
    /// How many days, from Monday, 8 March 2027 on; the clocks go forward on the 28th.
    pub days: u32,
}

/// Actions per customer, on average.
const ACTS: usize = 4;
/// Most customers who act at one instant.
const AT_ONCE: usize = 16;

/// Result of a run.
#[derive(Debug, Default)]
pub struct Month {
    /// Requests and answers with their number.
    pub tally: BTreeMap<String, usize>,
    /// Unexpected answers.
    pub surprises: Vec<String>,
    /// The checker's reports, weekly and at the end.
    pub reports: Vec<Report>,
}

impl Month {
    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.surprises.is_empty() && self.reports.iter().all(|report| report.violations.is_empty())
    }
}

/// What one actor did at one instant.
#[derive(Debug, Default)]
struct Outcome {
    tally: Vec<String>,
    surprises: Vec<String>,
    acknowledged: Vec<Acknowledged>,
}

/// Runs the month; `tell` reports each day's progress.
///
/// # Errors
///
/// When something could not run, or the system did not become idle.
pub async fn play(plan: Plan, tell: impl Fn(&str)) -> Result<Month> {
    let mut simulation = Simulation::open().await?;
    let mut dice = Dice::new(plan.seed);
    let mut people = Vec::with_capacity(plan.customers);
    for first in (0..plan.customers).step_by(AT_ONCE) {
        let numbers = first..(first + AT_ONCE).min(plan.customers);
        let joined = join_all(numbers.map(|number| Customer::join(&simulation, number))).await;
        people.extend(joined.into_iter().collect::<Result<Vec<_>>>()?);
    }
    tell(&format!("{} customers, seed {}", people.len(), plan.seed));

    let mut month = Month::default();
    let mut acknowledged = Vec::new();
    let minutes = u64::from(plan.days) * 24 * 60;
    let mut moments = moments(&mut dice, plan.customers * ACTS, minutes);
    moments.sort_unstable();
    let begin = simulation.now();
    let mut day = 0;
    for (minute, crowd) in moments {
        let instant = begin + TimeDelta::minutes(i64::try_from(minute)?);
        simulation.advance_to(instant).await?;
        while day < minute / (24 * 60) {
            day += 1;
            if day % 7 == 0 {
                month.reports.push(look(&simulation, &acknowledged).await?);
            }
            tell(&format!("day {day}: {} bookings known", acknowledged.len()));
        }
        trouble(&simulation, &mut dice);
        let outcome = act(&mut simulation, &mut people, crowd, &mut dice).await?;
        for outcome in outcome {
            acknowledged.extend(outcome.acknowledged);
            month.surprises.extend(outcome.surprises);
            outcome.tally.into_iter().for_each(|deed| *month.tally.entry(deed).or_default() += 1);
        }
        simulation.wait_until_idle().await?;
    }
    simulation.run_to_end().await?;
    month.reports.push(look(&simulation, &acknowledged).await?);
    simulation.close().await?;
    Ok(month)
}

/// Distributes the actions over minutes, in groups that act concurrently.
fn moments(dice: &mut Dice, acts: usize, minutes: u64) -> Vec<(u64, usize)> {
    let mut moments = Vec::new();
    let mut left = acts;
    while left > 0 {
        let crowd = dice.up_to(AT_ONCE).min(left);
        moments.push((dice.below(minutes), crowd));
        left -= crowd;
    }
    moments
}

/// Runs a group of customers and one member of staff concurrently.
async fn act(
    simulation: &mut Simulation,
    people: &mut [Customer],
    crowd: usize,
    dice: &mut Dice,
) -> Result<Vec<Outcome>> {
    simulation.refresh_admin().await?;
    let first = dice.index(people.len());
    people.rotate_left(first);
    let simulation = &*simulation;
    let actors = people.iter_mut().take(crowd).map(|person| {
        let dice = dice.fork();
        async move { person.act(simulation, dice).await }
    });
    let actors: Vec<_> = actors.collect();
    let (customers, staff) = tokio::join!(join_all(actors), staff::act(simulation, dice.fork()));
    let mut outcome = customers.into_iter().collect::<Result<Vec<_>>>()?;
    outcome.push(staff?);
    Ok(outcome)
}

/// Sometimes makes the mail server fail.
fn trouble(simulation: &Simulation, dice: &mut Dice) {
    let (verb, bad) = match dice.below(30) {
        0 => (Verb::Rcpt, Act::Reply("450 4.2.1 mailbox busy")),
        1 => (Verb::Rcpt, Act::Reply("550 5.1.1 no such mailbox")),
        2 => (Verb::Dot, Act::Cut),
        3 => (Verb::Mail, Act::Reply("421 4.3.2 going down")),
        _ => return,
    };
    simulation.sink.script(verb, [bad]);
}

async fn look(simulation: &Simulation, acknowledged: &[Acknowledged]) -> Result<Report> {
    let journal = simulation.sink.journal();
    let seen = Observations {
        journal: &journal,
        acknowledged,
        now: simulation.now(),
        settled: true,
        one_clock: true,
    };
    Ok(checker::check(simulation.database.pool(), &seen).await?)
}
