//! Records the progress of sending mails.
//!
//! An attempt begins ([`begin`]), passes the relay's checks up to RCPT, and is then marked as handed off
//! ([`mark_handed_off`]). That commit orders the mail against a cancellation. The result is accepted, refused or in
//! doubt. Every statement except [`accepted`] is fenced: a worker that lost its lease changes nothing. A 250 is
//! recorded even without the lease, because the relay has the mail. If the recipient was erased meanwhile, the relay's
//! reply is not stored.
//!
//! The three steps that every mail takes are functions of many mails: [`SendingBatches`] commits the mails that reach the
//! same step at the same time together.

mod batches;
mod begin;
mod hand_off;
mod results;
mod visits;

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

pub use self::batches::{Beginning, SendingBatches};
pub use self::begin::begin;
pub use self::hand_off::{end, mark_handed_off};
pub use self::results::{accepted, in_doubt, job_ended, not_taken, refused};
use super::{EndedMail, NotificationKind, NotificationOutcome, record_ended};
use crate::Result;
use crate::types::Rev;

/// The fencing token of an attempt: a job and the lease under which it runs. A later attempt has a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// The job.
    pub job_id: i64,
    /// Its lease.
    pub lease_seq: i64,
}

/// An attempt that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Sending {
    /// The ledger row.
    pub notification_id: Uuid,
    /// The booking the mail is about.
    pub booking_id: Option<Uuid>,
    /// The account the mail is about.
    pub user_id: Option<Uuid>,
    /// Of links to bookings: a customer with the recipient's address.
    pub customer_id: Option<Uuid>,
    /// Which mail.
    pub kind: NotificationKind,
    /// The booking's revision it is about; for a mail to an account the link epoch; for other mails 0.
    pub rev: Rev,
    /// Fencing token of this attempt.
    pub fence: Fence,
    /// Of a mail about several bookings, and of a reminder of a visit: the sum of their revisions when it was rendered.
    pub revs: Option<i64>,
}

impl Sending {
    /// Whether what it says is about several bookings.
    fn shows_several(&self) -> bool {
        self.revs.is_some() || self.kind.is_about_several()
    }

    fn record_end(&self, outcome: NotificationOutcome) {
        record_ended([EndedMail { id: self.notification_id, kind: self.kind, outcome }]);
    }
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, Copy)]
pub enum BeginResult {
    /// It has begun.
    Sending(Sending),
    /// The mail has ended, possibly by this call: its second attempt in doubt is its last.
    Ended(NotificationOutcome),
    /// A later lease has it.
    Fenced,
    /// The row is gone.
    Gone,
}

/// Whether the message may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOff {
    /// The mail is marked: once the caller commits, the message may be sent.
    Marked,
    /// The mail has ended, possibly by this call: the booking changed, or it is too late.
    Ended(NotificationOutcome),
    /// One of several bookings has changed since the mail was rendered: it is to be rendered again.
    Outdated,
    /// The reminder of another service of its visit is being sent: whether this one is needed is known later.
    Waits,
    /// A later lease has it.
    Fenced,
}

/// The outcomes of mails by id: `None` for a mail that has not ended, no entry for a row that is gone.
async fn outcomes_of(
    conn: &mut PgConnection,
    notification_ids: &[Uuid],
) -> Result<HashMap<Uuid, Option<NotificationOutcome>>> {
    let rows = sqlx::query!(
        r#"SELECT id, outcome AS "outcome: NotificationOutcome" FROM notifications WHERE id = ANY($1)"#,
        notification_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.outcome)).collect())
}
