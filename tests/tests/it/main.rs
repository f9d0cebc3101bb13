//! Stories and faults on a real Postgres, a real Redis and real processes. One module per area.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

#[cfg(test)]
mod api;
mod calendar;
mod chaos;
#[cfg(test)]
mod checker;
mod core;
#[cfg(test)]
mod docs;
mod harness;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod operators;
mod pages;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod programs;
// The lints on tests go by this attribute, also for what tests share.
#[cfg(test)]
mod queue;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod stories;
