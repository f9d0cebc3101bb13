//! Mails of a customer's bookings after a change of the customer.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::calendar::reminder_due;
use crate::notifications::NotificationKind;
use crate::notifications::plan::{self, Addressee, ImmediateMail, Reminder, Subject};
use crate::types::{BookingStatus, EmailAddress, Locale, Rev, Zone};
use crate::{Result, slots};

/// Plans the mails of a customer's future bookings that had none because the customer had no address: a confirmation with
/// its link, and the reminders.
pub(super) async fn plan_first(tx: &mut PgConnection, now: DateTime<Utc>, customer_id: Uuid) -> Result<()> {
    let bookings = sqlx::query!(
        r#"SELECT b.id, b.service_id, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", lower(b.during) AS "start!",
                  b.zone AS "zone: Zone", c.email::text AS "email!: EmailAddress", b.reminders AND c.reminders AS "reminders!",
                  coalesce(c.locale, settings.locale) AS "locale!: Locale"
           FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id CROSS JOIN settings
           WHERE b.customer_id = $1 AND c.email IS NOT NULL AND b.status IN ('pending', 'confirmed') AND lower(b.during) > $2
             AND NOT EXISTS (SELECT FROM notifications AS n 
                             WHERE (n.booking_id = b.id OR n.booking_ids @> ARRAY[b.id]) AND NOT n.to_staff)
           ORDER BY b.id"#,
        customer_id,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let service_ids: BTreeSet<Uuid> = bookings.iter().map(|booking| booking.service_id).collect();
    // Of the terms only the reminders are used.
    let terms = slots::terms_of(tx, &service_ids.into_iter().collect::<Vec<_>>(), &[]).await?;
    for booking in bookings {
        let is_confirmed = booking.status == BookingStatus::Confirmed;
        let rules = terms.get(&booking.service_id).filter(|_| is_confirmed);
        let reminders: Vec<Reminder> = rules
            .into_iter()
            .flat_map(|terms| &terms.reminders)
            .map(|&(rule, at)| Reminder { rule, due: reminder_due(at, booking.start, booking.zone) })
            .collect();
        let to = Addressee { email: booking.email, locale: booking.locale, staff_id: None };
        let kind = if is_confirmed { NotificationKind::Confirmation } else { NotificationKind::Pending };
        let at_once = [ImmediateMail { kind, to: to.clone() }];
        let subject = Subject {
            booking_id: booking.id,
            rev: booking.rev,
            start: booking.start,
            customer: Some(&to),
            reminders: &reminders,
            wants_reminders: booking.reminders,
        };
        plan::on_changes(tx, now, &[plan::Change { subject, at_once: &at_once, span: None }]).await?;
    }
    Ok(())
}

/// Sends the confirmation of each future booking of these customers again, as after a change of their address.
pub(super) async fn confirm_again(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    customer_ids: &[Uuid],
    email: &EmailAddress,
) -> Result<()> {
    let bookings = sqlx::query!(
        r#"SELECT b.id, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", lower(b.during) AS "start!",
                  coalesce(c.locale, settings.locale) AS "locale!: Locale"
           FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id CROSS JOIN settings
           WHERE b.customer_id = ANY($1) ORDER BY b.id"#,
        customer_ids,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id).collect();
    replace_recipient(tx, &ids, email).await?;
    for booking in bookings.into_iter().filter(|booking| booking.start > now) {
        let kind = match booking.status {
            BookingStatus::Confirmed => NotificationKind::Confirmation,
            BookingStatus::Pending => NotificationKind::Pending,
            _ => continue,
        };
        let subject = Subject::without_reminders(booking.id, booking.rev, booking.start);
        let to = Addressee { email: email.clone(), locale: booking.locale, staff_id: None };
        plan::once_more(tx, now, &subject, ImmediateMail { kind, to }).await?;
    }
    Ok(())
}

/// Changes the recipient of mails to the customers of these bookings that are unsent, or that failed and can be sent again.
pub(super) async fn replace_recipient(
    tx: &mut PgConnection,
    booking_ids: &[Uuid],
    email: &EmailAddress,
) -> Result<()> {
    sqlx::query!(
        "UPDATE notifications SET recipient = $2
         WHERE id = ANY(ARRAY(SELECT id FROM notifications
                              WHERE (booking_id = ANY($1) OR booking_ids && $1) AND NOT to_staff AND dot_at IS NULL
                                AND (outcome IS NULL OR outcome = 'failed')
                              ORDER BY id FOR NO KEY UPDATE))",
        booking_ids,
        email.as_str() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}
