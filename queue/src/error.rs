//! What can go wrong when a program talks to the queue.

/// An error of the queue's library calls. It leaves the caller's transaction usable unless it is [`Error::Database`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Postgres refused or did not answer.
    #[error("the queue's database call failed")]
    Database(#[from] sqlx::Error),
    /// The payload can't be written as JSON.
    #[error("the payload of a {kind} job can't be written as JSON")]
    Payload {
        /// Kind of the job.
        kind: &'static str,
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
    /// A concurrent writer took and freed the unique key again and again; trying again is safe.
    #[error("the unique key of a {kind} job was contended too long")]
    Contended {
        /// Kind of the job.
        kind: String,
    },
    /// The lease was lost: another worker owns the job now, nothing was changed.
    #[error("the lease of job {0} was lost")]
    Fenced(crate::JobId),
    /// The text is not a cursor of a list of jobs.
    #[error("this is not a cursor of a list of jobs")]
    Cursor,
    /// The runtime was built with something that can't work; the text names it.
    #[error("{0}")]
    Configuration(String),
}

/// Result of the queue's library calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of a handler; it means "again later, with backoff".
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
