//! Stories and faults on a real Postgres, a real Redis and real processes. One module per area.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

#[cfg(test)]
mod api;
mod calendar;
mod core;
mod harness;
<<<<<<< HEAD
mod pages;
=======
#[cfg(test)]
mod mails;
>>>>>>> dffe8da (Mails and a mail server that does as it is told: refusals, outages, doubts and killed workers, each with its exact ledger)
// The lints on tests go by this attribute, also for what tests share.
#[cfg(test)]
mod queue;
