//! The mails of a booking and their states.

use chrono::{DateTime, Utc};
use punctual_queue::{JobState, JobStatus, Payload};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NotificationKind, NotificationOutcome, SendNotification};
use crate::Result;
use crate::types::Rev;

/// The state of a mail: its outcome, or what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// It is not due yet.
    Planned,
    /// It is due and waits for a worker.
    Queued,
    /// A worker is sending it.
    Sending,
    /// An attempt failed or the mail server is unavailable; the next attempt is at `next_try_at`.
    Waiting,
    /// The mail server accepted it.
    Sent,
    /// The booking changed before it was sent.
    Cancelled,
    /// It was due before the booking was made.
    SkippedTooLate,
    /// It was not sent in time.
    Expired,
    /// Permanently refused.
    Failed,
    /// The mail server may or may not have accepted it; it is not sent again by itself.
    InDoubt,
    /// A reminder to a customer who does not want reminders; planned again when they do.
    Unwanted,
    /// A reminder that was not needed: that of another service of the same visit says the same.
    Covered,
}

/// One mail of a booking. Its JSON is that of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The ledger row.
    pub id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// Its recipient; none once erased. Not part of the API.
    #[serde(skip)]
    pub recipient: Option<String>,
    /// The revision of the booking it is about; of a mail about several, of the first of them.
    pub rev: Rev,
    /// Its state.
    pub state: NotificationState,
    /// Not sent before this instant.
    pub send_at: DateTime<Utc>,
    /// Not sent from this instant on.
    pub expires_at: DateTime<Utc>,
    /// Number of attempts.
    pub tries: i32,
    /// When the next attempt is, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<DateTime<Utc>>,
    /// When the mail server accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<DateTime<Utc>>,
    /// The mail server's last reply, or why it could not be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

/// All mails of a booking, those about several bookings too, in the order in which they were planned.
pub async fn list(conn: &mut PgConnection, booking_id: Uuid) -> Result<Vec<Notification>> {
    let rows = sqlx::query!(
        r#"
        SELECT id, kind AS "kind: NotificationKind", recipient::text, rev AS "rev: Rev", send_at, expires_at, enqueued_at, tries, accepted_at, reply,
               outcome AS "outcome: NotificationOutcome"
        FROM notifications
        WHERE booking_id = $1 OR booking_ids @> ARRAY[$1]
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
            (None, Some(job)) => state_by_job(job),
            (None, None) => (NotificationState::Planned, Some(row.send_at)),
        };
        mails.push(Notification {
            id: row.id,
            kind: row.kind,
            recipient: row.recipient,
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
    Ok(punctual_queue::job_state(conn, SendNotification::KIND, &id.to_string()).await?)
}

/// The state of a mail by its job, and the time of its next attempt.
fn state_by_job(job: &JobStatus) -> (NotificationState, Option<DateTime<Utc>>) {
    let tried = job.attempt > 0 || job.snoozes > 0;
    match job.state {
        JobState::Running => (NotificationState::Sending, None),
        JobState::Retryable => (NotificationState::Waiting, Some(job.run_at)),
        _ if tried => (NotificationState::Waiting, Some(job.run_at)),
        JobState::Scheduled => (NotificationState::Planned, Some(job.run_at)),
        _ => (NotificationState::Queued, Some(job.run_at)),
    }
}

impl NotificationState {
    /// Every state.
    pub const ALL: [Self; 12] = [
        Self::Planned,
        Self::Queued,
        Self::Sending,
        Self::Waiting,
        Self::Sent,
        Self::Cancelled,
        Self::SkippedTooLate,
        Self::Expired,
        Self::Failed,
        Self::InDoubt,
        Self::Unwanted,
        Self::Covered,
    ];

    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Cancelled => "cancelled",
            Self::SkippedTooLate => "skipped_too_late",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
            Self::Unwanted => "unwanted",
            Self::Covered => "covered",
        }
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
            NotificationOutcome::Covered => Self::Covered,
        }
    }
}
