//! What mails a change of a booking owes.

use chrono::{DateTime, Utc};
use punctual_queue::Payload;
use sqlx::PgConnection;

use super::BookingStatus;
use super::row::Row;
use crate::calendar::{CivilTime, ReminderRule, reminder_due};
use crate::notifications::SendNotification;
use crate::notifications::plan::{self, Reminder, Subject};
use crate::types::{EmailAddress, Locale, ParseError, Zone};
use crate::{Error, Result};

/// The queues in which mails wait.
pub(super) const QUEUES: &[&str] = &[SendNotification::QUEUE];

/// What happened, as far as mails go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It was made, or confirmed.
    Stands,
    /// It was moved.
    Moved,
    /// It was called off.
    Cancelled,
    /// Nothing to write about; what older revisions still had to send is off.
    None,
}

/// Plans the mails of a booking as it stands now.
pub(super) async fn plan(tx: &mut PgConnection, now: DateTime<Utc>, row: &Row, news: News) -> Result<()> {
    let stored = |error: ParseError| Error::internal("bookings hold a bad value", error);
    // Nobody to write to: an erased person.
    let Some(email) = &row.customer_email else {
        return plan::on_superseded(tx, now, row.id, row.rev).await;
    };
    let confirmed = row.status == BookingStatus::Confirmed;
    let reminders = if confirmed { reminders(tx, row).await? } else { Vec::new() };
    let subject = Subject {
        booking_id: row.id,
        rev: row.rev,
        start: row.start,
        recipient: &EmailAddress::parse(email).map_err(stored)?,
        locale: Locale::parse(&row.locale).map_err(stored)?,
        reminders: &reminders,
        wants_reminders: row.wants_reminders,
    };
    match news {
        News::Stands if confirmed => plan::on_created(tx, now, &subject).await,
        News::Moved if confirmed => plan::on_rescheduled(tx, now, &subject).await,
        News::Cancelled => plan::on_cancelled(tx, now, &subject).await,
        News::Stands | News::Moved | News::None => plan::on_superseded(tx, now, row.id, row.rev).await,
    }
}

/// When the service's rules, as they are now, remind of the booking.
async fn reminders(tx: &mut PgConnection, row: &Row) -> Result<Vec<Reminder>> {
    let zone = Zone::parse(&row.zone).map_err(|error| Error::internal("bookings hold a bad zone", error))?;
    let rules = sqlx::query!(
        r#"SELECT rule, kind = 'offset' AS "is_offset!", minutes FROM service_reminders WHERE service_id = $1 ORDER BY rule"#,
        row.service_id
    )
    .fetch_all(tx)
    .await?;
    rules
        .into_iter()
        .map(|stored| {
            let rule = if stored.is_offset {
                ReminderRule::Offset { minutes: stored.minutes.unsigned_abs() }
            } else {
                let at = u16::try_from(stored.minutes)
                    .ok()
                    .and_then(|minutes| CivilTime::from_minutes(minutes).ok())
                    .ok_or_else(|| {
                        Error::internal("a reminder rule has a bad time", stored.minutes.to_string())
                    })?;
                ReminderRule::DayBeforeAt { at }
            };
            Ok(Reminder { rule: stored.rule, due: reminder_due(rule, row.start, zone.tz()) })
        })
        .collect()
}
