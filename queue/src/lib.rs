#![doc = include_str!("../README.md")]

mod availability;
mod backoff;
mod cancel;
pub mod clock;
mod context;
mod deployment;
mod enqueue;
mod error;
mod finish_reason;
mod forget;
mod heartbeat;
mod ids;
mod job;
mod job_info;
mod limits;
mod lookup;
mod migrate;
mod notifier;
pub mod ops;
mod outcome;
mod redis_health;
pub mod runtime;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod testing_payload;
mod timing;
mod trace;
mod wake;

pub use availability::is_unavailable;
pub use cancel::{Cancelled, cancel, cancel_by_key};
pub use clock::{Clock, ManualClock, ServerClock, SharedClock};
pub use context::{JobContext, StopReason};
pub use deployment::redis_prefix;
pub use enqueue::{Enqueued, enqueue, enqueue_many};
pub use error::{BoxError, Error, Result};
pub use finish_reason::FinishReason;
pub use forget::forget;
pub use ids::{JobId, new_id};
pub use job::{Job, JobState, Payload};
pub use job_info::JobInfo;
pub use limits::limit::Limit;
pub use lookup::{JobStatus, job_state};
pub use migrate::{MIGRATOR, migrate};
pub use outcome::{CompletedInTransaction, Outcome};
pub use redis_health::RedisHealth;
pub use runtime::{FinalJob, Kind, Periodic, Queue, Runtime, Shutdown};
pub use trace::{TraceContext, trace_jobs_with};
pub use wake::Wake;

/// An argument of a handler: a value passed to [`runtime::Builder::data`].
pub use apalis_core::task::data::Data;
