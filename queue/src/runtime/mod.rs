//! The worker side: claims jobs, runs them under apalis, writes down how they ended.

mod backend;
mod builder;
mod kind;
mod periodic;
mod shutdown;

pub use backend::{Feed, RunLayer, RunService};
pub use builder::{Builder, Queue, Runtime};
pub use kind::{Ended, FinalJob, Kind};
pub use periodic::Periodic;
pub use shutdown::Shutdown;
