//! Records the progress of sending one mail.
//!
//! An attempt begins ([`begin`]), passes the relay's checks up to RCPT, and is then marked as handed off
//! ([`mark_handed_off`]). That commit orders the mail against a cancellation. The result is accepted, refused or in
//! doubt. Every statement except [`accepted`] is fenced: a worker that lost its lease changes nothing. A 250 is
//! recorded even without the lease, because the relay has the mail. If the recipient was erased meanwhile, the relay's
//! reply is not stored.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    EndedMail, NotificationKind, NotificationOutcome, account, booking_links, record_ended, several,
};
use crate::Result;
use crate::types::{BookingStatus, Rev};

/// Longest stored reply, in characters.
const REPLY_LIMIT: usize = 500;

/// The fencing token of an attempt: a job and the lease under which it runs. A later attempt has a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Of a mail about several bookings: the sum of their revisions when it was rendered.
    pub revs: Option<i64>,
}

impl Sending {
    fn record_end(&self, outcome: NotificationOutcome) {
        record_ended([EndedMail { id: self.notification_id, kind: self.kind, outcome }]);
    }
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, Copy)]
pub enum Begun {
    /// It has begun.
    Sending(Sending),
    /// The mail has ended, possibly by this call: its second attempt in doubt is its last.
    Over(NotificationOutcome),
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
    Over(NotificationOutcome),
    /// One of several bookings has changed since the mail was rendered: it is to be rendered again.
    Outdated,
    /// A later lease has it.
    Fenced,
}

/// Begins an attempt. If an earlier attempt handed the mail off and recorded no result, the mail is in doubt: the first
/// time it is sent once more, the second time it ends.
pub async fn begin(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    notification_id: Uuid,
    fence: Fence,
) -> Result<Begun> {
    let begun = sqlx::query!(
        r#"
        UPDATE notifications
        SET job_id = $2, fence = $3, dot_at = NULL,
            tries = tries + CASE WHEN dot_at IS NOT NULL AND doubts > 0 THEN 0 ELSE 1 END,
            doubts = doubts + CASE WHEN dot_at IS NOT NULL THEN 1 ELSE 0 END,
            outcome = CASE WHEN dot_at IS NOT NULL AND doubts > 0 THEN 'in_doubt'::notification_outcome END,
            outcome_at = CASE WHEN dot_at IS NOT NULL AND doubts > 0 THEN $4::timestamptz END
        WHERE id = $1 AND outcome IS NULL AND accepted_at IS NULL AND (job_id, fence) < ($2, $3)
        RETURNING booking_id, user_id, customer_id, kind AS "kind: NotificationKind", rev AS "rev: Rev",
                  outcome AS "outcome: NotificationOutcome"
        "#,
        notification_id,
        fence.job_id,
        fence.lease_seq,
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(match begun {
        Some(row) => match row.outcome {
            Some(outcome) => {
                record_ended([EndedMail { id: notification_id, kind: row.kind, outcome }]);
                Begun::Over(outcome)
            }
            None => Begun::Sending(Sending {
                notification_id,
                booking_id: row.booking_id,
                user_id: row.user_id,
                customer_id: row.customer_id,
                kind: row.kind,
                rev: row.rev,
                fence,
                revs: None,
            }),
        },
        None => match outcome_of(conn, notification_id).await? {
            None => Begun::Gone,
            Some(Some(outcome)) => Begun::Over(outcome),
            Some(None) => Begun::Fenced,
        },
    })
}

/// Checks under a lock on the booking, the account or the customer that the mail still applies, and sets `dot_at`. A mail
/// that no longer applies, or is too late, is ended instead. Runs in the caller's transaction: the message may be sent only
/// after its commit.
pub async fn mark_handed_off(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
) -> Result<HandOff> {
    if sending.kind.is_about_several()
        && Some(several::lock_revs(conn, sending.notification_id).await?) != sending.revs
    {
        return Ok(HandOff::Outdated);
    }
    let ended = match (sending.booking_id, sending.user_id, sending.customer_id) {
        (Some(_), ..) if sending.kind.is_about_several() => addressee_to_end(conn, sending).await?,
        (Some(booking_id), ..) => reason_to_end(conn, booking_id, sending).await?,
        (None, Some(user_id), _) if account::is_current(conn, user_id, sending.kind, sending.rev).await? => {
            None
        }
        (None, None, Some(id)) if booking_links::stands(conn, id, sending.notification_id).await? => None,
        (None, ..) => Some(NotificationOutcome::Cancelled),
    };
    if let Some(outcome) = ended {
        return end(conn, now, sending, outcome).await;
    }
    let row = sqlx::query!(
        r#"
        UPDATE notifications
        SET dot_at = CASE WHEN expires_at > $4 THEN $4::timestamptz END
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND accepted_at IS NULL AND outcome IS NULL
        RETURNING dot_at IS NOT NULL AS "in_time!"
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match row {
        Some(row) if row.in_time => Ok(HandOff::Marked),
        Some(_) => end(conn, now, sending, NotificationOutcome::Expired).await,
        None => fenced_result(conn, sending).await,
    }
}

/// Locks the booking against changes and returns why the mail is not to be sent: the booking has changed, the customer does
/// not want reminders, or the member of staff has left. None: it may be sent.
async fn reason_to_end(
    conn: &mut PgConnection,
    booking_id: Uuid,
    sending: &Sending,
) -> Result<Option<NotificationOutcome>> {
    // The lock comes first and without joins: what is read after it is newer than the wait.
    let booking = sqlx::query!(
        r#"SELECT rev AS "rev: Rev", status AS "status: BookingStatus" FROM bookings WHERE id = $1 FOR SHARE"#,
        booking_id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if !booking.is_some_and(|booking| booking.rev == sending.rev && sending.kind.is_true_of(booking.status)) {
        return Ok(Some(NotificationOutcome::Cancelled));
    }
    addressee_to_end(conn, sending).await
}

/// Why the recipient is not to get the mail any more.
async fn addressee_to_end(conn: &mut PgConnection, sending: &Sending) -> Result<Option<NotificationOutcome>> {
    let addressee = sqlx::query!(
        r#"SELECT coalesce(customers.reminders, true) AS "reminders!", coalesce(staff.active, true) AS "works_here!"
           FROM notifications AS n JOIN bookings ON bookings.id = n.booking_id
           LEFT JOIN customers ON customers.id = bookings.customer_id
           LEFT JOIN staff ON staff.id = n.staff_id
           WHERE n.id = $1"#,
        sending.notification_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(match addressee {
        Some(addressee) if !addressee.works_here => Some(NotificationOutcome::Cancelled),
        Some(addressee) if sending.kind == NotificationKind::Reminder && !addressee.reminders => {
            Some(NotificationOutcome::Unwanted)
        }
        _ => None,
    })
}

/// Ends a mail that will not be sent. One that was in doubt ends in doubt, because it may have arrived.
pub async fn end(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
    outcome: NotificationOutcome,
) -> Result<HandOff> {
    let row = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE $4::notification_outcome END, outcome_at = $5
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND accepted_at IS NULL AND outcome IS NULL
        RETURNING outcome AS "outcome!: NotificationOutcome"
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        outcome as NotificationOutcome,
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match row {
        Some(row) => {
            sending.record_end(row.outcome);
            Ok(HandOff::Over(row.outcome))
        }
        None => fenced_result(conn, sending).await,
    }
}

/// Records that the relay answered 250 to the message. Not fenced, and it overrides a doubt, because the reply is true
/// whichever worker received it. Returns false if the row is gone, as that of a mail about a deleted account is.
pub async fn accepted(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
    reply: &str,
) -> Result<bool> {
    let recorded = sqlx::query!(
        r#"
        UPDATE notifications
        SET accepted_at = coalesce(accepted_at, $2::timestamptz),
            reply = CASE WHEN recipient IS NOT NULL THEN $3 END, outcome = 'sent', outcome_at = $2
        WHERE id = $1
        "#,
        sending.notification_id,
        now,
        shortened(reply),
    )
    .execute(conn)
    .await?;
    let recorded = recorded.rows_affected() == 1;
    if recorded {
        sending.record_end(NotificationOutcome::Sent);
    }
    Ok(recorded)
}

/// Records that the relay does not have the message: the attempt failed before, or the relay deferred it. Another attempt
/// follows. Returns false if a later lease has the mail or it has ended.
pub async fn not_taken(conn: &mut PgConnection, sending: &Sending, reply: &str) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE notifications SET dot_at = NULL, reply = CASE WHEN recipient IS NOT NULL THEN $4 END
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND accepted_at IS NULL AND outcome IS NULL
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        shortened(reply),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The relay permanently refused the mail. Returns false if a later lease has the mail or it has ended.
pub async fn refused(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
    reply: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE notifications
        SET dot_at = NULL, reply = CASE WHEN recipient IS NOT NULL THEN $4 END, outcome = 'failed', outcome_at = $5
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND accepted_at IS NULL AND outcome IS NULL
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        shortened(reply),
        now,
    )
    .execute(conn)
    .await?;
    let ended = done.rows_affected() == 1;
    if ended {
        sending.record_end(NotificationOutcome::Failed);
    }
    Ok(ended)
}

/// Records that the message was sent and no reply was received. Returns the outcome if this was the second time; `None`
/// means that the mail is sent once more, or that a later lease has it. Idempotent: counts one hand-off once.
pub async fn in_doubt(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
    why: &str,
) -> Result<Option<NotificationOutcome>> {
    let row = sqlx::query!(
        r#"
        UPDATE notifications
        SET dot_at = NULL, reply = CASE WHEN recipient IS NOT NULL THEN $4 END, doubts = doubts + 1,
            outcome = CASE WHEN doubts > 0 THEN 'in_doubt'::notification_outcome END,
            outcome_at = CASE WHEN doubts > 0 THEN $5::timestamptz END
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND dot_at IS NOT NULL AND accepted_at IS NULL
              AND outcome IS NULL
        RETURNING outcome AS "outcome: NotificationOutcome"
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        shortened(why),
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match row {
        Some(row) => {
            if let Some(outcome) = row.outcome {
                sending.record_end(outcome);
            }
            Ok(row.outcome)
        }
        None => Ok(outcome_of(conn, sending.notification_id).await?.flatten()),
    }
}

/// Ends a mail whose job the queue has ended, in the queue's transaction. A mail that was handed off without a result, or
/// was in doubt, ends in doubt. Returns how it ended, unless it had ended before: the caller counts it after the commit.
pub async fn job_ended(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    notification_id: Uuid,
    outcome: NotificationOutcome,
) -> Result<Option<EndedMail>> {
    let ended = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN dot_at IS NOT NULL OR doubts > 0 THEN 'in_doubt' ELSE $2::notification_outcome END, outcome_at = $3,
            doubts = least(doubts + CASE WHEN dot_at IS NOT NULL THEN 1 ELSE 0 END, 2)
        WHERE id = $1 AND outcome IS NULL
        RETURNING kind AS "kind: NotificationKind", outcome AS "outcome!: NotificationOutcome"
        "#,
        notification_id,
        outcome as NotificationOutcome,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(ended.map(|ended| EndedMail { id: notification_id, kind: ended.kind, outcome: ended.outcome }))
}

/// The result of a fenced statement that changed no row.
async fn fenced_result(conn: &mut PgConnection, sending: &Sending) -> Result<HandOff> {
    let outcome = outcome_of(conn, sending.notification_id).await?;
    Ok(outcome.flatten().map_or(HandOff::Fenced, HandOff::Over))
}

/// The outcome of a mail: `None` for no row, `Some(None)` for a mail that has not ended.
async fn outcome_of(
    conn: &mut PgConnection,
    notification_id: Uuid,
) -> Result<Option<Option<NotificationOutcome>>> {
    let outcome = sqlx::query_scalar!(
        r#"SELECT outcome AS "outcome: NotificationOutcome" FROM notifications WHERE id = $1"#,
        notification_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(outcome)
}

fn shortened(reply: &str) -> String {
    reply.chars().filter(|c| *c != '\0').take(REPLY_LIMIT).collect()
}
