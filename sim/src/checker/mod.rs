//! What must be true whatever happened: one checker over bookings, their history, the ledger of mails, the jobs, and what
//! the mail server has taken.
//!
//! It reads the database with statements of its own and shares no code with what it checks. The rules follow the three
//! promises: a slot is sold once ([`calendar`]), a committed booking has its mails and no others ([`mails`], [`journal`]), nothing
//! that stops loses work ([`queue`]). [`history`] ties a booking to what was done with it and to what was acknowledged.
//!
//! Most rules hold at any moment. Those marked [`When::Settled`] hold once everything has come to rest: no request runs, the
//! workers have had their time, and what is due is done. Those marked [`When::OneClock`] compare instants of several programs.

mod calendar;
mod history;
mod journal;
mod mails;
mod queue;

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use punctual_testkit::smtp_sink::Taken;

/// What is known from outside of the database.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What the mail server has taken.
    pub journal: &'a [Taken],
    /// What clients were told.
    pub acknowledged: &'a [Acknowledged],
    /// The domain's clock.
    pub now: DateTime<Utc>,
    /// Whether everything has come to rest.
    pub settled: bool,
    /// Whether all programs go by one clock, so that their instants can be compared.
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

/// Something that must not be: a statement whose rows say where it is. `$1` is the domain's clock.
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

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: &'static str,
    /// Where.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// How much was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Bookings, whatever their status.
    pub bookings: usize,
    /// Their events.
    pub events: usize,
    /// Rows of the ledger.
    pub mails: usize,
    /// Jobs of the queue.
    pub jobs: usize,
    /// Messages that the mail server took, copies included.
    pub copies: usize,
    /// Copies that a resend after a doubt made: one message more than mails.
    pub doubled: usize,
    /// Mails that ended in doubt after their resend.
    pub in_doubt: usize,
}

/// What was checked, and what was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How much of what there was.
    pub compared: Compared,
    /// How many rules were applied.
    pub rules: usize,
    /// What was wrong.
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
pub async fn check(pool: &PgPool, seen: &Seen<'_>) -> Result<Report, sqlx::Error> {
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
