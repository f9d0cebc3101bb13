//! What operators can see and change in the queue. Every change is recorded in the same transaction.

mod act;
mod action;
mod actions;
mod samples;
mod see;

pub use act::act;
pub use action::{Action, Operator, OperatorAction, OperatorKind, QueueLimits, Verb};
pub use actions::actions;
pub use samples::{QueueSample, history, sample};
pub use see::{JobsWanted, job, jobs, queues, workers};

use crate::Error;

/// Converts an error of the queue to one of core.
fn queue_error(error: punctual_queue::Error) -> Error {
    match error {
        punctual_queue::Error::Database(error) => error.into(),
        error => Error::internal("the queue", error),
    }
}
