//! What an operator sees and does at run time. All workers see a change within two seconds: they look each second.

mod ended;
mod jobs;
mod one_job;
mod queue_settings;
mod queues;
mod search;
mod workers;

pub use ended::{EndedCount, ended, is_queue};
pub use jobs::{Cursor, JobDetail, JobError, JobFilter, JobSummary, Page, job, jobs};
pub use one_job::{Stop, retry, stop};
pub use queue_settings::{pause, resume, set_key_limit, set_limit};
pub(crate) use queues::depths;
pub use queues::{QueueStatus, queues};
pub use search::search;
pub use workers::{WorkerStatus, workers};
