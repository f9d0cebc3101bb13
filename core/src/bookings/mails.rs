//! What mails a change of a booking owes.

use chrono::{DateTime, Utc};
use punctual_queue::Payload;
use sqlx::PgConnection;
use uuid::Uuid;

use super::BookingStatus;
use super::row::Row;
use crate::calendar::{ReminderRule, reminder_due};
use crate::notifications::plan::{self, Addressee, AtOnce, Reminder, Subject};
use crate::notifications::{NotificationKind, SendNotification};
use crate::types::{EmailAddress, Locale, ParseError, Zone};
use crate::{Error, Result};

/// The queues in which mails wait.
pub(super) const QUEUES: &[&str] = &[SendNotification::QUEUE];

/// What happened, as far as mails go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It was made.
    Made,
    /// Staff confirmed it.
    Confirmed,
    /// It was moved, away from this member of staff or within their calendar.
    Moved {
        /// Who had it before.
        from: Uuid,
    },
    /// It was called off.
    Cancelled,
    /// Staff declined it.
    Declined,
    /// It waited for staff until its start.
    Expired,
    /// Nothing to write about; what older revisions still had to send is off.
    None,
}

impl News {
    /// Which mails tell it: to the customer, and to staff and the business. What staff did by confirming or declining
    /// is no news to them.
    fn kinds(self, status: BookingStatus) -> (Option<NotificationKind>, Option<NotificationKind>) {
        use NotificationKind as Kind;
        match (self, status) {
            (Self::Made, BookingStatus::Confirmed) => (Some(Kind::Confirmation), Some(Kind::StaffNew)),
            (Self::Moved { .. }, BookingStatus::Confirmed) => {
                (Some(Kind::Reschedule), Some(Kind::StaffMoved))
            }
            (Self::Made | Self::Moved { .. }, BookingStatus::Pending) => {
                (Some(Kind::Pending), Some(Kind::StaffPending))
            }
            (Self::Confirmed, _) => (Some(Kind::Confirmation), None),
            (Self::Cancelled, _) => (Some(Kind::Cancellation), Some(Kind::StaffCancelled)),
            (Self::Declined, _) => (Some(Kind::Declined), None),
            (Self::Expired, _) => (Some(Kind::Expired), None),
            (Self::Made | Self::Moved { .. } | Self::None, _) => (None, None),
        }
    }
}

/// Plans the mails of a booking as it stands now; `rules` are its service's, by place, and matter once it is confirmed.
pub(super) async fn plan(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: &Row,
    news: News,
    rules: &[(i16, ReminderRule)],
) -> Result<()> {
    // None: an erased person, to whom nobody writes.
    let customer = addressee(row.customer_email.as_deref(), &row.locale, None)?;
    let reminders = match &customer {
        Some(_) if row.status == BookingStatus::Confirmed => reminders(row, rules)?,
        _ => Vec::new(),
    };
    let (for_customer, for_staff) = news.kinds(row.status);
    let mail = |kind: NotificationKind| move |to: Addressee| AtOnce { kind, to };
    let mut at_once: Vec<AtOnce> =
        for_customer.zip(customer.clone()).map(|(kind, to)| AtOnce { kind, to }).into_iter().collect();
    if let Some(kind) = for_staff {
        at_once.extend(at_work(row)?.into_iter().map(mail(kind)));
        if let News::Moved { from } = news
            && from != row.staff_id
        {
            let before = before(tx, from).await?.into_iter().map(mail(NotificationKind::StaffMoved));
            let told = |to: &Addressee| at_once.iter().any(|mail| same(&mail.to, to) && mail.kind == kind);
            let before: Vec<AtOnce> = before.filter(|mail| !told(&mail.to)).collect();
            at_once.extend(before);
        }
    }
    let subject = Subject {
        booking_id: row.id,
        rev: row.rev,
        start: row.start,
        customer: customer.as_ref(),
        reminders: &reminders,
        wants_reminders: row.wants_reminders,
    };
    plan::on_change(tx, now, &subject, &at_once).await
}

/// Who is told at the business: who performs it, and the business's address, unless it is theirs.
fn at_work(row: &Row) -> Result<Vec<Addressee>> {
    let mut told: Vec<Addressee> =
        addressee(row.staff_email.as_deref(), &row.staff_locale, Some(row.staff_id))?.into_iter().collect();
    if let Some(business) = addressee(row.notify_address.as_deref(), &row.business_locale, None)?
        && !told.iter().any(|known| same(known, &business))
    {
        told.push(business);
    }
    Ok(told)
}

/// Who performed it before it was moved to a colleague.
async fn before(tx: &mut PgConnection, staff_id: Uuid) -> Result<Option<Addressee>> {
    let row = sqlx::query!(
        r#"SELECT staff.email::text, coalesce(users.locale, settings.locale) AS "locale!"
           FROM staff CROSS JOIN settings LEFT JOIN users ON users.id = staff.user_id
           WHERE staff.id = $1"#,
        staff_id
    )
    .fetch_optional(tx)
    .await?;
    row.map_or(Ok(None), |row| addressee(row.email.as_deref(), &row.locale, Some(staff_id)))
}

fn addressee(email: Option<&str>, locale: &str, staff_id: Option<Uuid>) -> Result<Option<Addressee>> {
    let stored = |error: ParseError| Error::internal("bookings hold a bad value", error);
    let Some(email) = email else { return Ok(None) };
    let (email, locale) =
        (EmailAddress::parse(email).map_err(stored)?, Locale::parse(locale).map_err(stored)?);
    Ok(Some(Addressee { email, locale, staff_id }))
}

/// Whether both are one mailbox.
fn same(one: &Addressee, other: &Addressee) -> bool {
    one.email.as_str().eq_ignore_ascii_case(other.email.as_str())
}

/// When these rules remind of the booking.
fn reminders(row: &Row, rules: &[(i16, ReminderRule)]) -> Result<Vec<Reminder>> {
    let zone = Zone::parse(&row.zone).map_err(|error| Error::internal("bookings hold a bad zone", error))?;
    let due = |rule| reminder_due(rule, row.start, zone);
    Ok(rules.iter().map(|&(place, rule)| Reminder { rule: place, due: due(rule) }).collect())
}
