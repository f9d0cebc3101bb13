//! The job that sends one mail.

use std::time::Duration;

use chrono::{DateTime, Utc};
use punctual_queue::{Job, Payload};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::NotificationKind;
use crate::{Error, Result};

/// Sends the mail of one ledger row. It carries the id only: what the mail says is read when it is sent.
/// Its unique key is that id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendNotification {
    /// The ledger row.
    pub notification_id: Uuid,
}

impl Payload for SendNotification {
    const KIND: &'static str = "mail.send.v1";
    const QUEUE: &'static str = "mails";
    /// Longer than all SMTP steps before the hand-off take together. The wait for the reply after it does not count.
    const TIMEOUT: Duration = Duration::from_mins(20);
}

/// A ledger row whose job is to be made.
pub(super) struct DueJob<'a> {
    pub id: Uuid,
    pub kind: NotificationKind,
    pub recipient: Option<&'a str>,
    pub send_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// The job of a row. Recipients of one domain share a limit; mails to staff let those to customers pass,
/// and reminders, which come in crowds, let all others pass.
pub(super) fn job(row: &DueJob<'_>) -> Result<Job> {
    let job = Job::new(&SendNotification { notification_id: row.id }).map_err(queue_error)?;
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

/// The lower, the sooner.
fn priority(kind: NotificationKind) -> i16 {
    match kind {
        NotificationKind::Reminder => 10,
        kind if kind.is_for_staff() => 5,
        _ => 0,
    }
}

/// The queue's errors, of which only those of the database are not ours.
pub(super) fn queue_error(error: punctual_queue::Error) -> Error {
    match error {
        punctual_queue::Error::Database(error) => error.into(),
        other => Error::internal("the queue of mails", other),
    }
}
