//! What operators see of the queue and do to it. Whatever they do is written down in the same transaction.

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

/// The queue's errors as ours.
fn queue_error(error: punctual_queue::Error) -> Error {
    match error {
        punctual_queue::Error::Database(error) => error.into(),
        error => Error::internal("the queue", error),
    }
}
