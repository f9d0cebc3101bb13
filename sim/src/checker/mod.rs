//! The invariants of the system: one checker over bookings, their history, the ledger of mails, the jobs, and the
//! messages of the mail server.
//!
//! It reads the database with its own statements and shares no code with the product. The rules follow the three
//! guarantees: a slot is sold once ([`calendar`]), a committed booking has exactly its mails ([`mails`], [`journal`]),
//! no outage loses work ([`queue`]). [`history`] compares bookings with their changes and acknowledgements;
//! [`compare_webhooks`] compares the history with the events that programs received.
//!
//! Most rules always hold. Those marked [`When::Settled`] hold once the system is idle: no request runs and all due
//! work is done. Those marked [`When::OneClock`] compare times of several programs.

mod calendar;
mod history;
mod journal;
mod mails;
mod queue;
mod webhooks;

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use punctual_testkit::smtp_sink::ReceivedMail;
pub use webhooks::{Counted, EndpointObservations, Pushed, WebhookObservations, compare_webhooks};

/// Observations from outside of the database.
#[derive(Debug, Clone, Copy)]
pub struct Observations<'a> {
    /// Messages that the mail server accepted.
    pub journal: &'a [ReceivedMail],
    /// Changes that clients got a success for.
    pub acknowledged: &'a [Acknowledged],
    /// The application clock.
    pub now: DateTime<Utc>,
    /// Whether the system is idle.
    pub settled: bool,
    /// Whether all programs share one clock, so that their times can be compared.
    pub one_clock: bool,
}

/// A change of a booking that a client got a success for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The booking.
    pub booking_id: Uuid,
    /// The revision that was answered.
    pub rev: i32,
    /// The status that was answered.
    pub status: String,
}

/// When a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Settled,
    OneClock,
}

/// An invariant: a statement that returns its violations. `$1` is the application clock.
struct Rule {
    name: &'static str,
    when: When,
    sql: &'static str,
}

const fn always(name: &'static str, sql: &'static str) -> Rule {
    Rule { name, when: When::Always, sql }
}

const fn settled(name: &'static str, sql: &'static str) -> Rule {
    Rule { name, when: When::Settled, sql }
}

const fn by_one_clock(name: &'static str, sql: &'static str) -> Rule {
    Rule { name, when: When::OneClock, sql }
}

/// A violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: &'static str,
    /// Details.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// Number of objects compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Bookings in any status.
    pub bookings: usize,
    /// Their events.
    pub events: usize,
    /// Rows of the ledger.
    pub mails: usize,
    /// Jobs of the queue.
    pub jobs: usize,
    /// Messages that the mail server accepted, with copies.
    pub copies: usize,
    /// Second copies after an attempt in doubt.
    pub doubled: usize,
    /// Mails that ended in doubt after their resend.
    pub in_doubt: usize,
}

/// Result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Number of objects compared.
    pub compared: Compared,
    /// How many rules were applied.
    pub rules: usize,
    /// Violations.
    pub violations: Vec<Violation>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compared { bookings, events, mails, jobs, copies, doubled, in_doubt } = self.compared;
        write!(
            f,
            "{} rules over {bookings} bookings, {events} events, {mails} mails of the ledger ({in_doubt} in doubt), {jobs} \
             jobs, {copies} copies in the inbox ({doubled} sent again): ",
            self.rules
        )?;
        match self.violations.len() {
            0 => f.write_str("no difference"),
            count => write!(f, "{count} differences"),
        }?;
        self.violations.iter().try_for_each(|broken| write!(f, "\n  {broken}"))
    }
}

/// Checks everything.
///
/// # Errors
/// Those of the database.
pub async fn check(pool: &PgPool, seen: &Observations<'_>) -> Result<Report, sqlx::Error> {
    let mut report = Report::default();
    let holds = |rule: &&Rule| match rule.when {
        When::Always => true,
        When::Settled => seen.settled,
        When::OneClock => seen.one_clock,
    };
    let rules = [calendar::RULES, history::RULES, mails::RULES, queue::RULES].into_iter().flatten();
    for rule in rules.filter(holds) {
        let found: Vec<String> = sqlx::query_scalar(rule.sql).bind(seen.now).fetch_all(pool).await?;
        report.violations.extend(found.into_iter().map(|what| Violation { rule: rule.name, what }));
        report.rules += 1;
    }
    report.violations.extend(history::acknowledged(pool, seen.acknowledged).await?);
    report.rules += history::ACKNOWLEDGED + journal::RULES;
    journal::compare(pool, seen.journal, &mut report).await?;
    let (bookings, events, jobs): (i64, i64, i64) = sqlx::query_as(COUNTS).fetch_one(pool).await?;
    let count = |rows: i64| usize::try_from(rows).unwrap_or_default();
    report.compared.bookings = count(bookings);
    report.compared.events = count(events);
    report.compared.jobs = count(jobs);
    Ok(report)
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM bookings), (SELECT count(*) FROM booking_events),
                             (SELECT count(*) FROM queue.jobs)";
