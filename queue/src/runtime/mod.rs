//! The worker side: claims jobs, runs them under apalis, writes down how they ended.

mod allot;
mod backend;
mod builder;
mod crew;
mod dispatcher;
mod heartbeat;
mod judge;
mod kind;
mod lane;
mod leader;
mod link;
mod metrics;
mod periodic;
mod run;
mod settler;
mod shutdown;

pub use backend::{Feed, RunLayer, RunService};
pub use builder::{Builder, Queue, Runtime, Timing};
pub use kind::{Ended, FinalJob, Kind};
pub use periodic::Periodic;
pub use shutdown::Shutdown;
