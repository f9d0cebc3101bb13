//! Where each mail of a booking stands.

use chrono::{DateTime, Utc};
use punctual_queue::{JobState, JobStatus, Payload};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::payload::queue_error;
use super::{NotificationKind, NotificationOutcome, SendNotification};
use crate::Result;
use crate::types::Rev;

/// Where a mail stands: its outcome, or what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// Its time has not come.
    Planned,
    /// A worker will take it next.
    Queued,
    /// A worker is sending it.
    Sending,
    /// A try failed or the mail server is away; the next is at `next_try_at`.
    Waiting,
    /// The mail server took it.
    Sent,
    /// The booking changed first.
    Cancelled,
    /// It was due before the booking was made.
    SkippedTooLate,
    /// Too late to be of use.
    Expired,
    /// Permanently refused.
    Failed,
    /// The mail server may or may not have taken it, and it is not sent again.
    InDoubt,
    /// A reminder that its customer does not want; planned again when they do.
    Unwanted,
}

/// One mail of a booking, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The ledger row.
    pub id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// The booking's revision it speaks of.
    pub rev: Rev,
    /// Where it stands.
    pub state: NotificationState,
    /// Not sent before this instant.
    pub send_at: DateTime<Utc>,
    /// Not sent from this instant on.
    pub expires_at: DateTime<Utc>,
    /// How often sending began.
    pub tries: i32,
    /// When the next try is; only while one is to come.
    pub next_try_at: Option<DateTime<Utc>>,
    /// When the mail server took it.
    pub accepted_at: Option<DateTime<Utc>>,
    /// What the mail server said last, or why it could not be asked.
    pub reply: Option<String>,
}

/// All mails of a booking, in the order in which they were planned.
pub async fn list(conn: &mut PgConnection, booking_id: Uuid) -> Result<Vec<Notification>> {
    let rows = sqlx::query!(
        r#"
        SELECT id, kind AS "kind: NotificationKind", rev AS "rev: Rev", send_at, expires_at, enqueued_at, tries, accepted_at, reply,
               outcome AS "outcome: NotificationOutcome"
        FROM notifications
        WHERE booking_id = $1
        ORDER BY created_at, send_at, id
        "#,
        booking_id,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut mails = Vec::with_capacity(rows.len());
    for row in rows {
        let waits = row.outcome.is_none() && row.enqueued_at.is_some();
        let job = if waits { job_of(conn, row.id).await? } else { None };
        let (state, next_try_at) = match (row.outcome, &job) {
            (Some(outcome), _) => (outcome.into(), None),
            (None, Some(job)) => standing(job),
            (None, None) => (NotificationState::Planned, Some(row.send_at)),
        };
        mails.push(Notification {
            id: row.id,
            kind: row.kind,
            rev: row.rev,
            state,
            send_at: row.send_at,
            expires_at: row.expires_at,
            tries: row.tries,
            next_try_at,
            accepted_at: row.accepted_at,
            reply: row.reply.or_else(|| job.and_then(|job| job.note)),
        });
    }
    Ok(mails)
}

async fn job_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<JobStatus>> {
    punctual_queue::job_state(conn, SendNotification::KIND, &id.to_string()).await.map_err(queue_error)
}

/// Where a mail stands by its job, and when it is tried next.
fn standing(job: &JobStatus) -> (NotificationState, Option<DateTime<Utc>>) {
    let tried = job.attempt > 0 || job.snoozes > 0;
    match job.state {
        JobState::Running => (NotificationState::Sending, None),
        JobState::Retryable => (NotificationState::Waiting, Some(job.run_at)),
        _ if tried => (NotificationState::Waiting, Some(job.run_at)),
        JobState::Scheduled => (NotificationState::Planned, Some(job.run_at)),
        _ => (NotificationState::Queued, Some(job.run_at)),
    }
}

impl From<NotificationOutcome> for NotificationState {
    fn from(outcome: NotificationOutcome) -> Self {
        match outcome {
            NotificationOutcome::Sent => Self::Sent,
            NotificationOutcome::Cancelled => Self::Cancelled,
            NotificationOutcome::SkippedTooLate => Self::SkippedTooLate,
            NotificationOutcome::Expired => Self::Expired,
            NotificationOutcome::Failed => Self::Failed,
            NotificationOutcome::InDoubt => Self::InDoubt,
            NotificationOutcome::Unwanted => Self::Unwanted,
        }
    }
}
