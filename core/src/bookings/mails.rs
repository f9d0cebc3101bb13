//! Which mails follow from a change to a booking.

use chrono::{DateTime, Utc};
use punctual_queue::Payload;
use sqlx::PgConnection;
use uuid::Uuid;

use super::BookingStatus;
use super::audit::BookingChange;
use super::row::Row;
use crate::Result;
use crate::calendar::{ReminderRule, reminder_due};
use crate::notifications::plan::{self, Addressee, ImmediateMail, Reminder, Subject};
use crate::notifications::{NotificationKind, SendNotification};
use crate::types::{ChangeKind, EmailAddress, Locale};

/// The queues to wake after a change.
pub(super) const QUEUES: &[&str] = &[SendNotification::QUEUE];

/// The mail to the customer and the mail to staff and the business. Staff get no mail about a confirmation or refusal,
/// because they made it.
pub(super) fn kinds_of(
    change: ChangeKind,
    status: BookingStatus,
) -> (Option<NotificationKind>, Option<NotificationKind>) {
    use NotificationKind as Kind;
    match (change, status) {
        (ChangeKind::Created | ChangeKind::Booked, BookingStatus::Confirmed) => {
            (Some(Kind::Confirmation), Some(Kind::StaffNew))
        }
        (ChangeKind::Rescheduled | ChangeKind::Updated, BookingStatus::Confirmed) => {
            (Some(Kind::Reschedule), Some(Kind::StaffMoved))
        }
        (
            ChangeKind::Created | ChangeKind::Booked | ChangeKind::Rescheduled | ChangeKind::Updated,
            BookingStatus::Pending,
        ) => (Some(Kind::Pending), Some(Kind::StaffPending)),
        (ChangeKind::Confirmed, _) => (Some(Kind::Confirmation), None),
        (ChangeKind::Cancelled, _) => (Some(Kind::Cancellation), Some(Kind::StaffCancelled)),
        (ChangeKind::Declined, _) => (Some(Kind::Declined), None),
        (ChangeKind::Expired, _) => (Some(Kind::Expired), None),
        (
            ChangeKind::Created
            | ChangeKind::Held
            | ChangeKind::Renewed
            | ChangeKind::Released
            | ChangeKind::Booked
            | ChangeKind::Rescheduled
            | ChangeKind::Completed
            | ChangeKind::NoShow
            | ChangeKind::Updated
            | ChangeKind::Noted,
            _,
        ) => (None, None),
    }
}

/// The mails of one booking.
pub(super) struct Draft {
    customer: Option<Addressee>,
    reminders: Vec<Reminder>,
    pub at_once: Vec<ImmediateMail>,
}

impl Draft {
    /// The mails that follow from a change, except the one to the former member of staff.
    pub(super) fn of(
        now: DateTime<Utc>,
        row: &Row,
        change: &BookingChange<'_>,
        rules: &[(i16, ReminderRule)],
    ) -> Self {
        let booking = &row.booking;
        // None for an erased person: no mail is planned.
        let customer_email = booking.customer.as_ref().and_then(|customer| customer.email.clone());
        let customer = addressee(customer_email, row.locale, None);
        let reminders = match &customer {
            Some(_) if booking.status == BookingStatus::Confirmed => reminders(row, rules),
            _ => Vec::new(),
        };
        let (for_customer, for_staff) = kinds_of(change.kind, booking.status);
        // The new customer has had no mail about it yet.
        let for_customer = match for_customer {
            Some(NotificationKind::Reschedule) if change.details.customer.is_some() => {
                Some(NotificationKind::Confirmation)
            }
            kind => kind,
        };
        // Staff recorded an appointment that has already begun: no mail announces it.
        let begun = booking.start.to_utc() <= now;
        let is_to_come = |kind: &NotificationKind| !begun || !kind.is_for_what_is_to_come();
        let for_customer = for_customer.filter(|_| !change.details.no_mail).filter(is_to_come);
        let for_staff = for_staff.filter(is_to_come);
        let mut at_once: Vec<ImmediateMail> = for_customer
            .zip(customer.clone())
            .map(|(kind, to)| ImmediateMail { kind, to })
            .into_iter()
            .collect();
        if let Some(kind) = for_staff {
            at_once.extend(staff_and_business(row).into_iter().map(|to| ImmediateMail { kind, to }));
        }
        Self { customer, reminders, at_once }
    }

    pub(super) fn change<'a>(&'a self, row: &Row, span: Option<&'a tracing::Span>) -> plan::Change<'a> {
        let subject = Subject {
            booking_id: row.booking.id,
            rev: row.booking.rev,
            start: row.booking.start.to_utc(),
            customer: self.customer.as_ref(),
            reminders: &self.reminders,
            wants_reminders: row.wants_reminders,
        };
        plan::Change { subject, at_once: &self.at_once, span }
    }
}

/// Plans the mails of a booking as it is after `change` and cancels those of older revisions. `rules` are the service's
/// reminder rules by place, used once the booking is confirmed.
pub(super) async fn plan(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: &Row,
    change: &BookingChange<'_>,
    rules: &[(i16, ReminderRule)],
) -> Result<()> {
    let mut draft = Draft::of(now, row, change, rules);
    if let (_, Some(kind)) = kinds_of(change.kind, row.booking.status)
        && let Some(from) = change.details.from.filter(|from| from.staff_id != row.booking.staff.id)
        && let Some(to) = former_staff(tx, from.staff_id).await?
        && !draft.at_once.iter().any(|mail| same(&mail.to, &to) && mail.kind == kind)
    {
        draft.at_once.push(ImmediateMail { kind: NotificationKind::StaffMoved, to });
    }
    plan::on_changes(tx, now, &[draft.change(row, None)]).await
}

/// A booking that was made or changed with others, with its service's reminder rules and the span of its request.
pub(super) struct NewBookingMails<'a> {
    pub row: &'a Row,
    pub change: &'a BookingChange<'a>,
    pub rules: &'a [(i16, ReminderRule)],
    pub span: &'a tracing::Span,
}

/// [`plan`] for the bookings of a batch.
pub(super) async fn plan_many(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    bookings: &[NewBookingMails<'_>],
) -> Result<()> {
    let drafts: Vec<Draft> =
        bookings.iter().map(|booking| Draft::of(now, booking.row, booking.change, booking.rules)).collect();
    let changes: Vec<_> = bookings
        .iter()
        .zip(&drafts)
        .map(|(booking, draft)| draft.change(booking.row, Some(booking.span)))
        .collect();
    plan::on_changes(tx, now, &changes).await
}

/// The member of staff and the business's notify address, each mailbox once.
fn staff_and_business(row: &Row) -> Vec<Addressee> {
    let mut to: Vec<Addressee> =
        addressee(row.staff_email.clone(), row.staff_locale, Some(row.booking.staff.id))
            .into_iter()
            .collect();
    if let Some(business) = addressee(row.notify_address.clone(), row.business_locale, None)
        && !to.iter().any(|known| same(known, &business))
    {
        to.push(business);
    }
    to
}

/// The member of staff before a move to a colleague; none if they have left.
pub(super) async fn former_staff(tx: &mut PgConnection, staff_id: Uuid) -> Result<Option<Addressee>> {
    let row = sqlx::query!(
        r#"SELECT staff.email::text AS "email: EmailAddress",
                  coalesce(users.locale, settings.locale) AS "locale!: Locale"
           FROM staff CROSS JOIN settings LEFT JOIN users ON users.id = staff.user_id
           WHERE staff.id = $1 AND staff.active"#,
        staff_id
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.and_then(|row| addressee(row.email, row.locale, Some(staff_id))))
}

fn addressee(email: Option<EmailAddress>, locale: Locale, staff_id: Option<Uuid>) -> Option<Addressee> {
    email.map(|email| Addressee { email, locale, staff_id })
}

/// Whether both are the same mailbox.
pub(super) fn same(one: &Addressee, other: &Addressee) -> bool {
    one.email.as_str().eq_ignore_ascii_case(other.email.as_str())
}

/// When each rule's reminder of the booking is due.
fn reminders(row: &Row, rules: &[(i16, ReminderRule)]) -> Vec<Reminder> {
    let start = row.booking.start.to_utc();
    let due = |rule| reminder_due(rule, start, row.booking.zone);
    rules.iter().map(|&(place, rule)| Reminder { rule: place, due: due(rule) }).collect()
}
