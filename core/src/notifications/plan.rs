//! What mails a booking owes, written in the transaction that changes the booking: they exist exactly if it commits.
//!
//! Each function takes the booking as it stands *after* the change, with its new revision.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Payload, new_id};
use sqlx::PgConnection;
use uuid::Uuid;

use super::payload::{self, DueJob, queue_error};
use super::{EndedMail, NotificationKind, NotificationOutcome, SendNotification, record_ended};
use crate::Result;
use crate::calendar::reminder_expires;
use crate::types::{EmailAddress, Locale, Rev};

/// A mail whose time has come within this span gets its job at once; the others wait in the ledger, where
/// cancelling them is one UPDATE.
pub const ENQUEUE_AHEAD: TimeDelta = TimeDelta::minutes(10);

/// What the ledger has to know of a booking.
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
    /// When its service's rules remind of it, by `calendar`; empty unless it is confirmed.
    pub reminders: &'a [Reminder],
    /// Whether the customer wants reminders. If not, they are stored as `unwanted` and planned when the customer turns
    /// them on.
    pub wants_reminders: bool,
}

/// Somebody to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// Where it goes.
    pub email: EmailAddress,
    /// In which language.
    pub locale: Locale,
    /// The member of staff; none: the customer, or the business.
    pub staff_id: Option<Uuid>,
}

/// A mail that goes out at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtOnce {
    /// Which.
    pub kind: NotificationKind,
    /// To whom.
    pub to: Addressee,
}

/// One reminder of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    /// Place of the rule in its service, 1 to 5.
    pub rule: i16,
    /// When it falls due.
    pub due: DateTime<Utc>,
}

/// A booking was made or changed: what was still to be sent for older revisions is cancelled, these mails go out now,
/// and the reminders are planned anew.
pub async fn on_change(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    subject: &Subject<'_>,
    at_once: &[AtOnce],
) -> Result<()> {
    if subject.rev.0 > 1 {
        cancel_older(conn, now, subject.booking_id, subject.rev).await?;
    }
    let rows = planned(now, subject, at_once);
    if rows.is_empty() { Ok(()) } else { write(conn, now, subject, rows).await }
}

/// One ledger row to be.
struct Planned<'a> {
    id: Uuid,
    kind: NotificationKind,
    to: &'a Addressee,
    rule: Option<i16>,
    send_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// Known from the start only for a reminder that would have been due before the change, or is not wanted.
    outcome: Option<NotificationOutcome>,
}

impl Planned<'_> {
    fn is_near(&self, now: DateTime<Utc>) -> bool {
        self.outcome.is_none() && self.send_at <= now + ENQUEUE_AHEAD
    }
}

fn planned<'a>(now: DateTime<Utc>, subject: &Subject<'a>, at_once: &'a [AtOnce]) -> Vec<Planned<'a>> {
    let mails = at_once.iter().map(|mail| Planned {
        id: new_id(now),
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

/// From when on a mail that goes out at once is of no use.
fn expires_at(now: DateTime<Utc>, kind: NotificationKind, start: DateTime<Utc>) -> DateTime<Utc> {
    match kind {
        NotificationKind::Confirmation | NotificationKind::Reschedule | NotificationKind::Reminder => start,
        _ => now + TimeDelta::days(4),
    }
}

/// Writes the rows in one statement and makes the jobs of those that are near.
async fn write(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    subject: &Subject<'_>,
    rows: Vec<Planned<'_>>,
) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let kinds: Vec<NotificationKind> = rows.iter().map(|row| row.kind).collect();
    let rules: Vec<Option<i16>> = rows.iter().map(|row| row.rule).collect();
    let keys: Vec<String> = rows.iter().map(|row| dedupe_key(subject, row)).collect();
    let send_at: Vec<DateTime<Utc>> = rows.iter().map(|row| row.send_at).collect();
    let expires_at: Vec<DateTime<Utc>> = rows.iter().map(|row| row.expires_at).collect();
    let enqueued_at: Vec<Option<DateTime<Utc>>> =
        rows.iter().map(|row| row.is_near(now).then_some(now)).collect();
    let recipients: Vec<String> = rows.iter().map(|row| row.to.email.as_str().to_owned()).collect();
    let locales: Vec<String> = rows.iter().map(|row| row.to.locale.as_str().to_owned()).collect();
    let to_staff: Vec<bool> = rows.iter().map(|row| row.kind.is_for_staff()).collect();
    let staff_ids: Vec<Option<Uuid>> = rows.iter().map(|row| row.to.staff_id).collect();
    let outcomes: Vec<Option<NotificationOutcome>> = rows.iter().map(|row| row.outcome).collect();
    sqlx::query!(
        r#"
        INSERT INTO notifications (id, booking_id, kind, rule, rev, dedupe_key, recipient, locale, to_staff, staff_id,
                                   send_at, expires_at, enqueued_at, outcome, outcome_at, created_at)
        SELECT id, $1, kind, rule, $2, dedupe_key, recipient, locale, to_staff, staff_id, send_at, expires_at, enqueued_at,
               outcome, CASE WHEN outcome IS NOT NULL THEN $3::timestamptz END, $3::timestamptz
        FROM unnest($4::uuid[], $5::notification_kind[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::bool[],
                    $11::uuid[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::notification_outcome[])
             AS mail (id, kind, rule, dedupe_key, recipient, locale, to_staff, staff_id, send_at, expires_at, enqueued_at,
                      outcome)
        "#,
        subject.booking_id,
        subject.rev.0,
        now,
        &ids,
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
        .filter(|row| row.is_near(now))
        .map(|row| {
            payload::job(&DueJob {
                id: row.id,
                kind: row.kind,
                recipient: Some(row.to.email.as_str()),
                send_at: row.send_at,
                expires_at: row.expires_at,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if !jobs.is_empty() {
        punctual_queue::enqueue_many(conn, now, jobs).await.map_err(queue_error)?;
    }
    Ok(())
}

/// The unique key of a mail: subject, kind, rule or recipient, and revision in one text.
fn dedupe_key(subject: &Subject<'_>, row: &Planned<'_>) -> String {
    let Subject { booking_id, rev, .. } = subject;
    let kind = row.kind.as_str();
    match (row.rule, row.to.staff_id) {
        (Some(rule), _) => format!("booking:{booking_id}:{kind}:{rule}:{rev}"),
        (None, Some(staff_id)) => format!("booking:{booking_id}:{kind}:{staff_id}:{rev}"),
        (None, None) => format!("booking:{booking_id}:{kind}:{rev}"),
    }
}

/// Ends what older revisions still had to send. A mail that was handed off is left to its sender, who knows how it ends; one
/// that was in doubt before stays so, for it may have arrived.
async fn cancel_older(conn: &mut PgConnection, now: DateTime<Utc>, booking_id: Uuid, rev: Rev) -> Result<()> {
    let ended = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE 'cancelled' END::notification_outcome, outcome_at = $3
        WHERE booking_id = $1 AND rev < $2 AND outcome IS NULL AND dot_at IS NULL
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
        punctual_queue::cancel_by_key(conn, now, SendNotification::KIND, &row.id.to_string())
            .await
            .map_err(queue_error)?;
    }
    Ok(())
}
