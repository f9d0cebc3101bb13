//! Sending a mail again on request of staff.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use punctual_queue::Payload;
use sqlx::PgConnection;
use uuid::Uuid;

use super::payload::{self, DueJob};
use super::{Notification, NotificationKind, NotificationOutcome, SendNotification, list, several};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, BookingStatus, Rev};
use crate::{Core, Error, Result};

/// Sends a mail of a booking again that failed or is in doubt, with the same Message-ID; only staff may. If this attempt
/// ends in doubt too, there is no automatic attempt after it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NotResendable`] for a mail that did not fail, that no longer applies to the booking, that
/// is too late, or whose recipient was erased.
pub async fn resend(core: &Core, actor: &Actor, booking_id: Uuid, id: Uuid) -> Result<Notification> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let sent = write(core, Arc::new(Resend { booking_id, id }), ()).await?;
    tracing::info!(notification_id = %id, by = ?actor.caller_id(), "staff send a mail again");
    Ok(sent)
}

struct Resend {
    booking_id: Uuid,
    id: Uuid,
}

impl Write for Resend {
    type Output = Notification;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Notification>> {
        resend_in(tx, now, self.booking_id, self.id).await?;
        let mails = list(tx, self.booking_id).await?;
        let mail = mails.into_iter().find(|mail| mail.id == self.id).ok_or(Error::NotFound("mail"))?;
        Ok(Outcome::Changed(mail, &[SendNotification::QUEUE]))
    }
}

/// Sends the mail again in the caller's transaction, as [`resend`] says.
pub(crate) async fn resend_in(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    booking_id: Uuid,
    id: Uuid,
) -> Result<()> {
    let booking = sqlx::query!(
        r#"SELECT rev AS "rev: Rev", status AS "status: BookingStatus" FROM bookings WHERE id = $1 FOR SHARE"#,
        booking_id,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound("booking"))?;
    let mail = sqlx::query!(
        r#"SELECT kind AS "kind: NotificationKind", rev AS "rev: Rev", recipient::text, expires_at,
                  outcome AS "outcome: NotificationOutcome"
           FROM notifications WHERE id = $1 AND (booking_id = $2 OR booking_ids @> ARRAY[$2]) FOR NO KEY UPDATE"#,
        id,
        booking_id,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound("mail"))?;
    if !matches!(mail.outcome, Some(NotificationOutcome::Failed | NotificationOutcome::InDoubt)) {
        return Err(Error::NotResendable("The mail has neither failed nor is it in doubt."));
    }
    let is_true = if mail.kind.is_about_several() {
        several::is_true_of_any(tx, id, mail.kind).await?
    } else {
        mail.rev == booking.rev && mail.kind.is_true_of(booking.status)
    };
    if !is_true {
        return Err(Error::NotResendable("The booking has changed since: the mail is no longer true."));
    }
    if mail.expires_at <= now {
        return Err(Error::NotResendable("It is too late for the mail."));
    }
    let Some(recipient) = mail.recipient else {
        return Err(Error::NotResendable("The recipient was erased."));
    };
    let updated = sqlx::query!(
        "UPDATE notifications
         SET outcome = NULL, outcome_at = NULL, dot_at = NULL, covered_by = NULL, doubts = least(doubts, 1),
             enqueued_at = $2
         WHERE id = $1 AND accepted_at IS NULL",
        id,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(Error::internal("sending a mail again", "a mail that was accepted is not sent"));
    }
    let due = DueJob {
        id,
        kind: mail.kind,
        recipient: Some(&recipient),
        send_at: now,
        expires_at: mail.expires_at,
    };
    let job = payload::job(&due)?;
    if !punctual_queue::enqueue(tx, now, job).await?.inserted {
        return Err(Error::NotResendable("Its last try has not ended yet."));
    }
    Ok(())
}
