use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use punctual_core::{operators, types};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use super::{JobState, RateLimit};
use crate::http::values::{JobName, PageCursor};

/// Who acted, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum OperatorKind {
    /// An administrator's account, over the API or the ops page.
    Admin,
    /// The command line of the worker.
    Cli,
}

/// What an operator did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum OperatorVerb {
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
    /// A test of the mail server was requested.
    Probe,
    /// A mail was sent again.
    Resend,
}

/// An action of an operator.
#[derive(Debug, Object, Serialize)]
pub struct OperatorAction {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who, by kind.
    pub operator: OperatorKind,
    /// The administrator's account; absent for the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// What.
    pub verb: OperatorVerb,
    /// To which queue, or to a job of which queue.
    pub queue: JobName,
    /// To which job.
    #[oai(validator(minimum(value = "1")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<i64>,
    /// The job's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_kind: Option<JobName>,
    /// The job's state before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_state: Option<JobState>,
    /// The limit that was set; absent: the workers' configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<RateLimit>,
    /// The limit per key that was set; absent: the workers' configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_limit: Option<RateLimit>,
}

/// A page of operators' actions.
#[derive(Debug, Object, Serialize)]
pub struct OperatorActionPage {
    /// The last first.
    #[oai(validator(max_items = 100))]
    pub data: Vec<OperatorAction>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<PageCursor>,
}
impl From<operators::OperatorAction> for OperatorAction {
    fn from(action: operators::OperatorAction) -> Self {
        let details = action.details;
        Self {
            id: action.id,
            at: action.at,
            operator: match action.operator {
                operators::OperatorKind::Admin => OperatorKind::Admin,
                operators::OperatorKind::Cli => OperatorKind::Cli,
            },
            user_id: action.user_id,
            verb: match action.verb {
                operators::Verb::Retry => OperatorVerb::Retry,
                operators::Verb::Cancel => OperatorVerb::Cancel,
                operators::Verb::Discard => OperatorVerb::Discard,
                operators::Verb::Pause => OperatorVerb::Pause,
                operators::Verb::Resume => OperatorVerb::Resume,
                operators::Verb::SetLimits => OperatorVerb::SetLimits,
                operators::Verb::Probe => OperatorVerb::Probe,
                operators::Verb::Resend => OperatorVerb::Resend,
            },
            queue: JobName(action.queue),
            job_id: action.job_id.map(|id| id.0),
            job_kind: action.job_kind.map(JobName),
            job_state: detail(&details, "state"),
            limit: detail(&details, "limit"),
            key_limit: detail(&details, "key_limit"),
        }
    }
}

/// A detail of the audit by name; another release may have stored another form.
fn detail<T: DeserializeOwned>(details: &Value, name: &str) -> Option<T> {
    details.get(name).and_then(|value| T::deserialize(value).ok())
}

impl From<types::Page<operators::OperatorAction>> for OperatorActionPage {
    fn from(page: types::Page<operators::OperatorAction>) -> Self {
        Self {
            data: page.data.into_iter().map(OperatorAction::from).collect(),
            next_cursor: page.next_cursor.map(PageCursor),
        }
    }
}
