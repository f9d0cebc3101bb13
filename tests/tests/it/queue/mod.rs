//! The queue on a real Postgres and a real Redis.

mod enqueueing;
mod faults;
mod limits;
mod model;
mod operators;
mod plans;
mod rig;
mod running;
mod shutting_down;
