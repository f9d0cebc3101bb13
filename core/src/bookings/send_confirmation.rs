//! Sending the confirmation of a booking again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BookingStatus, mails, row};
use crate::notifications::plan::{self, Addressee, ImmediateMail, Subject};
use crate::notifications::{self, Notification, NotificationKind};
use crate::transaction::{Outcome, Write, write};
use crate::types::Actor;
use crate::{Core, Error, Result};

/// Sends the confirmation (for a pending booking the `pending` mail) to the customer's current address; only staff may. It
/// is a new mail, independent of earlier ones.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::NotResendable`] for a booking that is neither pending nor confirmed,
/// or has begun, and for a customer without an address.
pub async fn send_confirmation(core: &Core, actor: &Actor, id: Uuid) -> Result<Notification> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let sent = write(core, Arc::new(SendConfirmation { id }), ()).await?;
    tracing::info!(booking_id = %id, by = ?actor.caller_id(), "staff send a confirmation again");
    Ok(sent)
}

struct SendConfirmation {
    id: Uuid,
}

impl Write for SendConfirmation {
    type Output = Notification;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Notification>> {
        let row = row::lock(tx, self.id).await?.ok_or(Error::NotFound("booking"))?;
        let kind = match row.booking.status {
            BookingStatus::Confirmed => NotificationKind::Confirmation,
            BookingStatus::Pending => NotificationKind::Pending,
            _ => return Err(Error::NotResendable("Only a pending or confirmed booking has a confirmation.")),
        };
        let start = row.booking.start.to_utc();
        if start <= now {
            return Err(Error::NotResendable("The appointment has begun: it is too late for the mail."));
        }
        let Some(email) = row.booking.customer.and_then(|customer| customer.email) else {
            return Err(Error::NotResendable("The customer has no address."));
        };
        let subject = Subject::without_reminders(self.id, row.booking.rev, start);
        let to = Addressee { email, locale: row.locale, staff_id: None };
        let mail_id = plan::once_more(tx, now, &subject, ImmediateMail { kind, to }).await?;
        let mails = notifications::list(tx, self.id).await?;
        let mail = mails.into_iter().find(|mail| mail.id == mail_id).ok_or(Error::NotFound("mail"))?;
        Ok(Outcome::Changed(mail, mails::QUEUES))
    }
}
