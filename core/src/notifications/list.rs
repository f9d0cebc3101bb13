//! Where each mail of a booking stands.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NotificationKind, NotificationOutcome};
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
    /// Refused for good.
    Failed,
    /// The mail server may or may not have taken it, and it is not sent again.
    InDoubt,
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
        ORDER BY id
        "#,
        booking_id,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mails = rows.into_iter().map(|row| Notification {
        id: row.id,
        kind: row.kind,
        rev: row.rev,
        state: row.outcome.map_or(NotificationState::Planned, NotificationState::from),
        send_at: row.send_at,
        expires_at: row.expires_at,
        tries: row.tries,
        next_try_at: row.outcome.is_none().then_some(row.send_at),
        accepted_at: row.accepted_at,
        reply: row.reply,
    });
    Ok(mails.collect())
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
        }
    }
}
