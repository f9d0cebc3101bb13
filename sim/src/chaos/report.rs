//! The report of a run: faults, their number and the comparisons after them.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::Fault;
use crate::checker::{Compared, Counted};

#[derive(Debug, Clone, Copy)]
struct Line {
    fault: Fault,
    times: u32,
    took: Duration,
}

/// The table of a run without violations so far.
#[derive(Debug, Clone, Default)]
pub struct Report {
    lines: Vec<Line>,
    last: Compared,
    webhooks: Counted,
    requests: u64,
    repeated: u64,
}

impl Report {
    /// Adds a fault without violations.
    pub(super) fn note(&mut self, fault: Fault, took: Duration, compared: Compared, webhooks: Counted) {
        (self.last, self.webhooks) = (compared, webhooks);
        match self.lines.iter_mut().find(|line| line.fault == fault) {
            Some(line) => {
                line.times += 1;
                line.took += took;
            }
            None => self.lines.push(Line { fault, times: 1, took }),
        }
    }

    /// Sets the number of requests, and of attempts that were repeated.
    pub(super) fn load(&mut self, requests: u64, repeated: u64) {
        (self.requests, self.repeated) = (requests, repeated);
    }

    /// Number of faults without violations.
    #[must_use]
    pub fn faults(&self) -> u32 {
        self.lines.iter().map(|line| line.times).sum()
    }

    /// A one-line summary for progress output.
    #[must_use]
    pub fn so_far(&self) -> String {
        let Compared { bookings, mails, doubled, in_doubt, .. } = self.last;
        let faults = self.faults();
        format!(
            "{faults} faults, {bookings} bookings, {mails} mails, {doubled} resent after a doubt, {in_doubt} in doubt"
        )
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Compared { bookings, mails, copies, doubled, in_doubt, .. } = self.last;
        writeln!(f, "| Fault | Times | s, with the comparison | Violations |\n| --- | ---: | ---: | ---: |")?;
        let mut lines = self.lines.clone();
        lines.sort_by_key(|line| line.fault.to_string());
        for Line { fault, times, took } in lines {
            writeln!(f, "| {fault} | {times} | {:.1} | 0 |", took.as_secs_f64() / f64::from(times))?;
        }
        writeln!(
            f,
            "\n{} faults. Compared after each, at the end: {bookings} bookings with their events, {mails}",
            self.faults()
        )?;
        writeln!(
            f,
            "rows of the ledger with their jobs, {copies} messages at the mail server ({doubled} of them second"
        )?;
        writeln!(
            f,
            "copies after a doubt, {in_doubt} mails left in doubt), {} answers of the api; {} tries were",
            self.requests, self.repeated
        )?;
        writeln!(
            f,
            "repeated because they got no answer or a 503. The good endpoints were told of every event, in"
        )?;
        let Counted { pushed, copies } = self.webhooks;
        writeln!(f, "{pushed} requests; {copies} of them were copies with the id of an earlier one.")
    }
}
