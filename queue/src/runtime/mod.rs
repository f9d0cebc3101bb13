//! The worker side: claims jobs, runs them under apalis, writes their transitions.

mod backend;
mod builder;
mod dedicated_conn;
mod dispatcher;
mod fair_share;
mod heartbeat;
mod kind;
mod leader;
mod leases;
mod metrics;
mod periodic;
mod queue_state;
mod resolve_outcome;
mod run;
mod settler;
mod shared;
mod shutdown;

pub use backend::{Feed, RunLayer, RunService};
pub use builder::{Builder, Queue, Runtime};
pub use kind::{AfterCommit, FinalJob, HookFuture, Kind};
pub use periodic::Periodic;
pub use shutdown::Shutdown;

pub use crate::finish_reason::FinishReason;
pub use crate::timing::Timing;

/// Building blocks of the test kit.
#[cfg(feature = "testing")]
pub(crate) mod internals {
    pub(crate) use super::heartbeat::open_first_session;
    pub(crate) use super::kind::Sink;
    pub(crate) use super::leader::maintenance::end_unknown;
    pub(crate) use super::resolve_outcome::{resolve_start, undecodable};
    pub(crate) use super::settler::Settler;
    pub(crate) use super::shared::{RuntimeShared, Workers};
}
