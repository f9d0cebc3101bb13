//! Operations at run time. Workers read changes each second and follow them within two.

mod due;
mod ended;
mod jobs;
mod list;
mod one_job;
mod page;
mod periodic;
mod queue_settings;
mod queues;
mod release;
mod search;
mod workers;

pub use due::{DueCount, due};
pub use ended::{EndedCount, ended, is_queue};
pub use jobs::{job, jobs};
pub use one_job::{Stop, retry, stop};
pub use page::{Cursor, JobDetail, JobError, JobFilter, JobSummary, Page};
pub use periodic::{PeriodicStatus, periodic};
pub use queue_settings::{pause, resume, set_key_limit, set_limit};
pub(crate) use queues::depths;
pub use queues::{QueueStatus, queues};
pub use release::release;
pub use search::search;
pub use workers::{WorkerStatus, workers};
