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
mod leases;
mod link;
mod metrics;
mod periodic;
mod run;
mod settler;
mod shutdown;

pub use backend::{Feed, RunLayer, RunService};
pub use builder::{Builder, Queue, Runtime, Timing};
pub use kind::{Ended, FinalJob, HookFuture, Kind};
pub use periodic::Periodic;
pub use shutdown::Shutdown;

/// What the test kit is made of.
#[cfg(feature = "testing")]
pub(crate) mod internals {
    pub(crate) use super::backend::LeaseEnd;
    pub(crate) use super::crew::{Crew, Workers};
    pub(crate) use super::heartbeat::open_first;
    pub(crate) use super::kind::Sink;
    pub(crate) use super::lane::Start;
    pub(crate) use super::leader::end_unknown;
    pub(crate) use super::settler::Settler;
}
