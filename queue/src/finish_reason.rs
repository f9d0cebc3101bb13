//! Why the queue ends a job without success.

use crate::job::JobState;

/// Why the queue ended a job without success. Passed to [`crate::Kind::on_final`] and kept with the job as its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// The last attempt failed, with this error.
    Exhausted(String),
    /// The handler returned [`crate::Outcome::Fail`] with this reason.
    Failed(String),
    /// The job was not started before `expires_at`.
    Expired,
    /// The worker process died three consecutive times while it ran the job.
    Poison,
    /// This build can't decode the payload; holds the decoder's message.
    Undecodable(String),
    /// The owner or an operator cancelled it.
    Cancelled,
    /// An operator discarded it.
    Discarded,
    /// It was due for a day and no worker handled its kind. Only [`crate::runtime::Builder::on_unknown`] sees this.
    Unknown,
}

impl FinishReason {
    /// The final state of the job: cancelled or discarded.
    #[must_use]
    pub fn state(&self) -> JobState {
        if *self == Self::Cancelled { JobState::Cancelled } else { JobState::Discarded }
    }

    /// The reason in words, stored as the job's note.
    #[must_use]
    pub fn note(&self) -> String {
        match self {
            Self::Exhausted(error) => format!("the last attempt failed: {error}"),
            Self::Failed(why) => why.clone(),
            Self::Expired => "expired before it was begun".to_owned(),
            Self::Poison => "its process died three times".to_owned(),
            Self::Undecodable(error) => format!("the payload can't be read: {error}"),
            Self::Cancelled => "cancelled on request".to_owned(),
            Self::Discarded => "discarded by an operator".to_owned(),
            Self::Unknown => "no worker has taken its kind for a day".to_owned(),
        }
    }

    /// The error that is added to the job's history, where an attempt failed.
    pub(crate) fn error(&self) -> Option<&str> {
        match self {
            Self::Exhausted(error) | Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}
