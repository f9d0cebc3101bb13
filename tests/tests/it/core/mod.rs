//! The domain on a real Postgres: constraints, locks and concurrent requests.

mod batches;
mod batches_killed;
mod changed_by_staff;
mod changed_meanwhile;
mod classes;
mod histories;
mod holds;
mod idempotency;
mod later_hours;
mod lists;
mod lists_from_memory;
mod mails;
mod outages;
mod people;
mod properties;
mod races;
mod resources;
pub(crate) mod salon;
mod schema;
mod seats;
mod series;
mod sessions;
mod states;
mod terms_of_staff;
mod visits;
mod visits_changed;
