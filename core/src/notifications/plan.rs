//! Planning the mails of a booking, in the transaction that changes the booking: they exist if and only if it commits.
//!
//! Each function takes the booking as it is *after* the change, with its new revision.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Payload, new_id};
use sqlx::PgConnection;
use uuid::Uuid;

use super::payload::{self, DueJob};
use super::{EndedMail, NotificationKind, NotificationOutcome, SendNotification, record_ended};
use crate::calendar::reminder_expires;
use crate::types::{EmailAddress, Locale, Rev};
use crate::{Error, Result};

/// A mail that is due within this time is enqueued at once. Later ones wait in the ledger, where cancelling them is one
/// UPDATE.
pub const ENQUEUE_AHEAD: TimeDelta = TimeDelta::minutes(10);

/// A booking as the ledger needs it.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// The booking.
    pub booking_id: Uuid,
    /// Its revision after the change.
    pub rev: Rev,
    /// Its start after the change.
    pub start: DateTime<Utc>,
    /// The recipient of reminders; none: no reminders.
    pub customer: Option<&'a Addressee>,
    /// When its reminders are due; empty unless it is confirmed.
    pub reminders: &'a [Reminder],
    /// Whether the customer wants reminders. If not, they are stored as `unwanted` and planned when the customer turns
    /// them on.
    pub wants_reminders: bool,
}

/// The recipient of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// Address.
    pub email: EmailAddress,
    /// Language.
    pub locale: Locale,
    /// The member of staff; none: the customer or the business.
    pub staff_id: Option<Uuid>,
}

/// A mail that is due at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImmediateMail {
    /// Its kind.
    pub kind: NotificationKind,
    /// Its recipient.
    pub to: Addressee,
}

/// One reminder of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    /// Place of the rule in its service, 1 to 5.
    pub rule: i16,
    /// When it is due.
    pub due: DateTime<Utc>,
}

/// A new or changed booking.
#[derive(Debug)]
pub struct Change<'a> {
    /// The booking.
    pub subject: Subject<'a>,
    /// Mails that are due at once.
    pub at_once: &'a [ImmediateMail],
    /// The span that the jobs of its mails belong to; none: the current one.
    pub span: Option<&'a tracing::Span>,
}

/// Bookings were made or changed: cancels the unsent mails of older revisions, enqueues the mails that are due at once and
/// plans the reminders, with one statement for each table.
pub async fn on_changes(conn: &mut PgConnection, now: DateTime<Utc>, changes: &[Change<'_>]) -> Result<()> {
    for Change { subject, .. } in changes {
        if subject.rev.0 > 1 {
            cancel_older(conn, now, subject.booking_id, subject.rev).await?;
        }
    }
    let rows: Vec<Planned<'_>> = changes.iter().flat_map(|change| planned(now, change)).collect();
    if rows.is_empty() { Ok(()) } else { write(conn, now, rows).await }
}

/// A note was changed: unsent mails of the previous revision now belong to this one. Ended mails keep theirs.
pub async fn carry_over(conn: &mut PgConnection, booking_id: Uuid, rev: Rev) -> Result<()> {
    sqlx::query!(
        "UPDATE notifications SET rev = $2
         WHERE booking_id = $1 AND rev = $2 - 1 AND booking_ids IS NULL
           AND (outcome IS NULL OR outcome IN ('failed', 'in_doubt', 'unwanted'))",
        booking_id,
        rev.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl Subject<'_> {
    /// A booking for which one mail is planned and whose reminders are not changed.
    #[must_use]
    pub fn without_reminders(booking_id: Uuid, rev: Rev, start: DateTime<Utc>) -> Self {
        Self { booking_id, rev, start, customer: None, reminders: &[], wants_reminders: true }
    }
}

/// Plans one mail about a booking, whether or not such a mail was sent before; returns the ledger row.
pub async fn once_more(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    subject: &Subject<'_>,
    mail: ImmediateMail,
) -> Result<Uuid> {
    let change = Change { subject: subject.clone(), at_once: std::slice::from_ref(&mail), span: None };
    let mut rows = planned(now, &change);
    let Some(row) = rows.first_mut() else { return Err(Error::internal("planning a mail", "no row")) };
    let id = row.id;
    row.key = format!("{}:{id}", row.key);
    write(conn, now, rows).await?;
    Ok(id)
}

/// A ledger row to be inserted.
struct Planned<'a> {
    id: Uuid,
    change: &'a Change<'a>,
    key: String,
    kind: NotificationKind,
    to: &'a Addressee,
    rule: Option<i16>,
    send_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// Only for a reminder that was due before the change, or that the customer does not want.
    outcome: Option<NotificationOutcome>,
}

impl Planned<'_> {
    fn is_due_soon(&self, now: DateTime<Utc>) -> bool {
        self.outcome.is_none() && self.send_at <= now + ENQUEUE_AHEAD
    }
}

fn planned<'a>(now: DateTime<Utc>, change: &'a Change<'a>) -> Vec<Planned<'a>> {
    let subject = &change.subject;
    let mails = change.at_once.iter().map(|mail| Planned {
        id: new_id(now),
        change,
        key: dedupe_key(subject.booking_id, subject.rev, mail.kind, None, mail.to.staff_id),
        kind: mail.kind,
        to: &mail.to,
        rule: None,
        send_at: now,
        expires_at: expires_at(now, mail.kind, subject.start),
        outcome: None,
    });
    let reminders = subject.customer.into_iter().flat_map(|customer| {
        subject.reminders.iter().map(move |reminder| Planned {
            id: new_id(now),
            change,
            key: dedupe_key(
                subject.booking_id,
                subject.rev,
                NotificationKind::Reminder,
                Some(reminder.rule),
                None,
            ),
            kind: NotificationKind::Reminder,
            to: customer,
            rule: Some(reminder.rule),
            send_at: reminder.due,
            expires_at: reminder_expires(reminder.due, subject.start),
            outcome: match (reminder.due < now, subject.wants_reminders) {
                (true, _) => Some(NotificationOutcome::SkippedTooLate),
                (false, false) => Some(NotificationOutcome::Unwanted),
                (false, true) => None,
            },
        })
    });
    mails.chain(reminders).collect()
}

/// Lifetime of a mail that is due at once.
fn expires_at(now: DateTime<Utc>, kind: NotificationKind, start: DateTime<Utc>) -> DateTime<Utc> {
    match kind {
        NotificationKind::Confirmation | NotificationKind::Reschedule | NotificationKind::Reminder => start,
        _ => now + TimeDelta::days(4),
    }
}

/// Inserts the rows in one statement and enqueues those that are due soon.
async fn write(conn: &mut PgConnection, now: DateTime<Utc>, rows: Vec<Planned<'_>>) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let booking_ids: Vec<Uuid> = rows.iter().map(|row| row.change.subject.booking_id).collect();
    let revs: Vec<i32> = rows.iter().map(|row| row.change.subject.rev.0).collect();
    let kinds: Vec<NotificationKind> = rows.iter().map(|row| row.kind).collect();
    let rules: Vec<Option<i16>> = rows.iter().map(|row| row.rule).collect();
    let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
    let send_at: Vec<DateTime<Utc>> = rows.iter().map(|row| row.send_at).collect();
    let expires_at: Vec<DateTime<Utc>> = rows.iter().map(|row| row.expires_at).collect();
    let enqueued_at: Vec<Option<DateTime<Utc>>> =
        rows.iter().map(|row| row.is_due_soon(now).then_some(now)).collect();
    let recipients: Vec<String> = rows.iter().map(|row| row.to.email.as_str().to_owned()).collect();
    let locales: Vec<String> = rows.iter().map(|row| row.to.locale.as_str().to_owned()).collect();
    let to_staff: Vec<bool> = rows.iter().map(|row| row.kind.is_for_staff()).collect();
    let staff_ids: Vec<Option<Uuid>> = rows.iter().map(|row| row.to.staff_id).collect();
    let outcomes: Vec<Option<NotificationOutcome>> = rows.iter().map(|row| row.outcome).collect();
    sqlx::query!(
        r#"
        INSERT INTO notifications (id, booking_id, kind, rule, rev, dedupe_key, recipient, locale, to_staff, staff_id,
                                   send_at, expires_at, enqueued_at, outcome, outcome_at, created_at)
        SELECT id, booking_id, kind, rule, rev, dedupe_key, recipient, locale, to_staff, staff_id, send_at, expires_at,
               enqueued_at, outcome, CASE WHEN outcome IS NOT NULL THEN $1::timestamptz END, $1::timestamptz
        FROM unnest($2::uuid[], $3::uuid[], $4::integer[], $5::notification_kind[], $6::smallint[], $7::text[], $8::text[],
                    $9::text[], $10::bool[], $11::uuid[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[],
                    $15::notification_outcome[])
             AS mail (id, booking_id, rev, kind, rule, dedupe_key, recipient, locale, to_staff, staff_id, send_at,
                      expires_at, enqueued_at, outcome)
        "#,
        now,
        &ids,
        &booking_ids,
        &revs,
        &kinds as &[NotificationKind],
        &rules as &[Option<i16>],
        &keys,
        &recipients,
        &locales,
        &to_staff,
        &staff_ids as &[Option<Uuid>],
        &send_at,
        &expires_at,
        &enqueued_at as &[Option<DateTime<Utc>>],
        &outcomes as &[Option<NotificationOutcome>],
    )
    .execute(&mut *conn)
    .await?;
    let jobs = rows
        .iter()
        .filter(|row| row.is_due_soon(now))
        .map(|row| {
            let due = DueJob {
                id: row.id,
                kind: row.kind,
                recipient: Some(row.to.email.as_str()),
                send_at: row.send_at,
                expires_at: row.expires_at,
            };
            // A job belongs to the trace of the request that planned its mail.
            match row.change.span {
                Some(span) => span.in_scope(|| payload::job(&due)),
                None => payload::job(&due),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    if !jobs.is_empty() {
        punctual_queue::enqueue_many(conn, now, jobs).await?;
    }
    Ok(())
}

/// Unique per mail: booking, kind, rule or member of staff, and revision in one text.
pub(super) fn dedupe_key(
    booking_id: Uuid,
    rev: Rev,
    kind: NotificationKind,
    rule: Option<i16>,
    staff_id: Option<Uuid>,
) -> String {
    let kind = kind.as_str();
    match (rule, staff_id) {
        (Some(rule), _) => format!("booking:{booking_id}:{kind}:{rule}:{rev}"),
        (None, Some(staff_id)) => format!("booking:{booking_id}:{kind}:{staff_id}:{rev}"),
        (None, None) => format!("booking:{booking_id}:{kind}:{rev}"),
    }
}

/// Cancels the unsent mails of older revisions. The sender of a mail that is handed off records its outcome. A mail that was
/// in doubt ends in doubt, because it may have arrived. A mail about several bookings stays: it shows those it still applies to.
async fn cancel_older(conn: &mut PgConnection, now: DateTime<Utc>, booking_id: Uuid, rev: Rev) -> Result<()> {
    let ended = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE 'cancelled' END::notification_outcome, outcome_at = $3
        WHERE booking_id = $1 AND rev < $2 AND outcome IS NULL AND dot_at IS NULL AND booking_ids IS NULL
        RETURNING id, kind AS "kind: NotificationKind", outcome AS "outcome!: NotificationOutcome",
                  enqueued_at IS NOT NULL AS "enqueued!"
        "#,
        booking_id,
        rev.0,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    record_ended(ended.iter().map(|row| EndedMail { id: row.id, kind: row.kind, outcome: row.outcome }));
    for row in ended.into_iter().filter(|row| row.enqueued) {
        punctual_queue::cancel_by_key(conn, now, SendNotification::KIND, &row.id.to_string()).await?;
    }
    Ok(())
}
