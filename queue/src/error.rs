//! Errors of the queue's library calls.

use crate::ids::JobId;

/// An error of a library call. The caller's transaction stays usable unless it is [`Error::Database`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Postgres refused the statement or did not answer.
    #[error("the queue's database call failed")]
    Database(#[from] sqlx::Error),
    /// The payload can't be serialised as JSON.
    #[error("the payload of a {kind} job can't be written as JSON")]
    Payload {
        /// Kind of the job.
        kind: &'static str,
        /// The serialiser's error.
        #[source]
        source: serde_json::Error,
    },
    /// Concurrent transactions repeatedly took and released the unique key. Retrying is safe.
    #[error("the unique key of a {kind} job was contended too long")]
    Contended {
        /// Kind of the job.
        kind: String,
    },
    /// The lease was lost: another worker owns the job. Nothing was changed.
    #[error("the lease of job {0} was lost")]
    Fenced(JobId),
    /// The text is not a page cursor of a list of jobs.
    #[error("this is not a cursor of a list of jobs")]
    Cursor,
    /// The runtime's configuration is invalid; holds what to change.
    #[error("{0}")]
    Configuration(String),
}

/// Result of the queue's library calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of a handler: the job is retried with backoff.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
