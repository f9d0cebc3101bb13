//! Views for operators.

mod actions;
mod jobs;
mod queues;
mod workers;

pub use actions::{OperatorAction, OperatorActionPage};
pub use jobs::{JobPage, JobState, JobWithHistory};
pub use queues::{QueueHistory, QueueList, QueueSample, QueueStatus, RateLimit};
pub use workers::{Worker, WorkerList};
