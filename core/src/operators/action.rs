//! Actions of operators, as requested and as recorded.

use chrono::{DateTime, Utc};
use punctual_queue::{JobId, Limit};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// An administrator's account.
    Admin(Uuid),
    /// Anyone who can run the command line with the database's password.
    CommandLine,
}

/// The kind of operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "operator_kind", rename_all = "snake_case")]
pub enum OperatorKind {
    /// An administrator's account.
    Admin,
    /// The command line.
    Cli,
}

/// The requested action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Run a job now, whether it waits or has ended.
    Retry(JobId),
    /// End an unfinished job as cancelled.
    Cancel(JobId),
    /// End an unfinished job as discarded.
    Discard(JobId),
    /// Start no job of the queue until it is resumed.
    Pause(String),
    /// End the pause.
    Resume(String),
    /// Replace the limits of the queue.
    SetLimits(String, QueueLimits),
    /// Let the next mail test the mail server now, instead of after the pause of an open circuit.
    ProbeRelay,
    /// Send a mail of a booking again that failed or is in doubt.
    Resend {
        /// The booking.
        booking_id: Uuid,
        /// The mail.
        notification_id: Uuid,
    },
}

/// The limits of a queue set at run time; none: the workers' configuration applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueLimits {
    /// How many of its jobs may start in a period.
    pub limit: Option<Limit>,
    /// How many of its jobs with one limit key may start in a period.
    pub key_limit: Option<Limit>,
}

/// The name of a recorded action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "operator_verb", rename_all = "snake_case")]
pub enum Verb {
    /// A job was made due again.
    Retry,
    /// A job was ended as cancelled.
    Cancel,
    /// A job was ended as discarded.
    Discard,
    /// A queue was paused.
    Pause,
    /// A queue was resumed.
    Resume,
    /// The limits of a queue were replaced.
    SetLimits,
    /// The mail server was to be tested at once.
    Probe,
    /// A mail was sent again.
    Resend,
}

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorAction {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Kind of operator.
    pub operator: OperatorKind,
    /// The administrator's account.
    pub user_id: Option<Uuid>,
    /// The action.
    pub verb: Verb,
    /// The queue, or the queue of the job.
    pub queue: String,
    /// The job, if any.
    pub job_id: Option<JobId>,
    /// Its kind.
    pub job_kind: Option<String>,
    /// The job's state before, or the limits that were set.
    pub details: serde_json::Value,
}

impl Operator {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> OperatorKind {
        match self {
            Self::Admin(_) => OperatorKind::Admin,
            Self::CommandLine => OperatorKind::Cli,
        }
    }

    /// The account.
    #[must_use]
    pub const fn user_id(&self) -> Option<Uuid> {
        match self {
            Self::Admin(id) => Some(*id),
            Self::CommandLine => None,
        }
    }
}

impl OperatorKind {
    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Cli => "cli",
        }
    }
}

impl Action {
    /// Its name in the audit.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Retry(_) => Verb::Retry,
            Self::Cancel(_) => Verb::Cancel,
            Self::Discard(_) => Verb::Discard,
            Self::Pause(_) => Verb::Pause,
            Self::Resume(_) => Verb::Resume,
            Self::SetLimits(..) => Verb::SetLimits,
            Self::ProbeRelay => Verb::Probe,
            Self::Resend { .. } => Verb::Resend,
        }
    }
}

impl Verb {
    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
            Self::Discard => "discard",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::SetLimits => "set_limits",
            Self::Probe => "probe",
            Self::Resend => "resend",
        }
    }
}

impl QueueLimits {
    /// The stored form in the audit.
    pub(super) fn details(self) -> serde_json::Value {
        let limit = |limit: Limit| {
            serde_json::json!({
                "count": limit.count,
                "per_ms": u64::try_from(limit.per.as_millis()).unwrap_or(u64::MAX),
                "burst": limit.burst,
            })
        };
        serde_json::json!({ "limit": self.limit.map(limit), "key_limit": self.key_limit.map(limit) })
    }
}
