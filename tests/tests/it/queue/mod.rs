//! The queue on a real Postgres, a real Redis and real worker processes.

mod clocks;
mod enqueueing;
mod faults;
mod fleet;
mod fleet_limits;
mod idle;
mod limits;
mod listing;
mod model;
mod operators;
mod outages;
pub mod plans;
mod processes;
mod running;
mod shutting_down;
mod test_queue;
