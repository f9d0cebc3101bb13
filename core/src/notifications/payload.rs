//! The job that sends one mail.

use std::time::Duration;

use chrono::{DateTime, Utc};
use punctual_queue::{Job, Payload};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::NotificationKind;
use crate::Result;

/// Sends the mail of one ledger row. It carries only the row's id, which is also its unique key: the content is read when
/// the mail is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendNotification {
    /// The ledger row.
    pub notification_id: Uuid,
}

impl Payload for SendNotification {
    const KIND: &'static str = "mail.send.v1";
    const QUEUE: &'static str = "mails";
    /// Longer than all SMTP steps before the message together. The time after the hand-off is not counted.
    const TIMEOUT: Duration = Duration::from_mins(20);
}

/// A ledger row that is due soon, with what its job needs.
pub(super) struct DueJob<'a> {
    pub id: Uuid,
    pub kind: NotificationKind,
    pub recipient: Option<&'a str>,
    pub send_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// The job of a row. Recipients of one domain share a rate limit. Mails to customers come before those to staff, and both
/// before reminders, which are due in large numbers at once.
pub(super) fn job(row: &DueJob<'_>) -> Result<Job> {
    let job = Job::new(&SendNotification { notification_id: row.id })?;
    let job = job
        .run_at(row.send_at)
        .expires_at(row.expires_at)
        .unique_key(row.id.to_string())
        .priority(priority(row.kind));
    Ok(match row.recipient.and_then(|address| address.rsplit_once('@')) {
        Some((_, domain)) => job.limit_key(domain.to_ascii_lowercase()),
        None => job,
    })
}

/// A lower number runs first.
fn priority(kind: NotificationKind) -> i16 {
    match kind {
        NotificationKind::Reminder => 10,
        NotificationKind::WebhookEnded => 5,
        kind if kind.is_for_staff() => 5,
        _ => 0,
    }
}
