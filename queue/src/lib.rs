#![doc = include_str!("../README.md")]

mod backoff;
mod cancel;
pub mod clock;
mod context;
mod enqueue;
mod error;
mod forget;
mod ids;
mod job;
mod limits;
mod lookup;
mod migrate;
pub mod ops;
mod outcome;
pub mod runtime;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod testing_payload;
mod trace;
mod wake;

pub use cancel::{Cancelled, cancel, cancel_by_key};
pub use clock::{Clock, ManualClock, ServerClock, SharedClock};
pub use context::{JobContext, JobInfo, StopReason};
pub use enqueue::{Enqueued, enqueue, enqueue_many};
pub use error::{BoxError, Error, Result};
pub use forget::forget;
pub use ids::new_id;
pub use job::{Job, JobId, JobState, Payload};
pub use limits::Limit;
pub use lookup::{JobStatus, job_state};
pub use migrate::{MIGRATOR, migrate};
pub use outcome::Outcome;
pub use runtime::{Ended, FinalJob, Kind, Periodic, Queue, Runtime, Shutdown};
pub use trace::{TraceContext, trace_jobs_with};
pub use wake::Wake;

/// What a handler takes of what [`runtime::Builder::data`] was given.
pub use apalis_core::task::data::Data;
