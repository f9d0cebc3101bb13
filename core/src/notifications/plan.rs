//! What mails a booking owes, written in the transaction that changes the booking: they exist exactly if it commits.
//!
//! Each function takes the booking as it stands *after* the change, with its new revision.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Payload, new_id};
use sqlx::PgConnection;
use uuid::Uuid;

use super::payload::{self, Near, queue_error};
use super::{NotificationKind, NotificationOutcome, SendNotification};
use crate::Result;
use crate::calendar::reminder_expires;
use crate::types::{EmailAddress, Locale, Rev};

/// A mail whose time has come within this span gets its job at once; the others wait in the ledger, where
/// cancelling them is one UPDATE.
pub const NEAR: TimeDelta = TimeDelta::minutes(10);

/// What the ledger has to know of a booking.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// The booking.
    pub booking_id: Uuid,
    /// Its revision after the change.
    pub rev: Rev,
    /// Its start after the change.
    pub start: DateTime<Utc>,
    /// Where mails to the customer go.
    pub recipient: &'a EmailAddress,
    /// Language of the mails: the customer's, else the business's.
    pub locale: Locale,
    /// When its service's rules remind of it, by `calendar`; empty unless it is confirmed.
    pub reminders: &'a [Reminder],
    /// Whether the customer wants them; if not they are entered as such, to be planned when the customer does.
    pub wants_reminders: bool,
}

/// One reminder of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    /// Place of the rule in its service, 1 to 5.
    pub rule: i16,
    /// When it falls due.
    pub due: DateTime<Utc>,
}

/// A booking was made and is confirmed: a confirmation now, its reminders when they fall due.
pub async fn on_created(conn: &mut PgConnection, now: DateTime<Utc>, subject: &Subject<'_>) -> Result<()> {
    write(conn, now, subject, planned(now, subject, NotificationKind::Confirmation)).await
}

/// A booking was moved: what was still to be sent for older revisions is cancelled, the mail about the move goes out
/// now, and the reminders are planned anew.
pub async fn on_rescheduled(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    subject: &Subject<'_>,
) -> Result<()> {
    cancel_older(conn, now, subject.booking_id, subject.rev).await?;
    write(conn, now, subject, planned(now, subject, NotificationKind::Reschedule)).await
}

/// A booking was cancelled: what was still to be sent is cancelled, the cancellation goes out now. `reminders` is not
/// looked at.
pub async fn on_cancelled(conn: &mut PgConnection, now: DateTime<Utc>, subject: &Subject<'_>) -> Result<()> {
    cancel_older(conn, now, subject.booking_id, subject.rev).await?;
    let subject = Subject { reminders: &[], ..subject.clone() };
    write(conn, now, &subject, planned(now, &subject, NotificationKind::Cancellation)).await
}

/// A booking was changed in a way nobody is written to about: what was still to be sent is cancelled.
pub async fn on_superseded(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    booking_id: Uuid,
    rev: Rev,
) -> Result<()> {
    cancel_older(conn, now, booking_id, rev).await
}

/// One ledger row to be.
struct Planned {
    id: Uuid,
    kind: NotificationKind,
    rule: Option<i16>,
    send_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// Known from the start only for a reminder that would have been due before the change, or is not wanted.
    outcome: Option<NotificationOutcome>,
}

impl Planned {
    fn is_near(&self, now: DateTime<Utc>) -> bool {
        self.outcome.is_none() && self.send_at <= now + NEAR
    }
}

fn planned(now: DateTime<Utc>, subject: &Subject<'_>, kind: NotificationKind) -> Vec<Planned> {
    let at_once = Planned {
        id: new_id(now),
        kind,
        rule: None,
        send_at: now,
        expires_at: expires_at(now, kind, subject.start),
        outcome: None,
    };
    let reminders = subject.reminders.iter().map(|reminder| Planned {
        id: new_id(now),
        kind: NotificationKind::Reminder,
        rule: Some(reminder.rule),
        send_at: reminder.due,
        expires_at: reminder_expires(reminder.due, subject.start),
        outcome: match (reminder.due < now, subject.wants_reminders) {
            (true, _) => Some(NotificationOutcome::SkippedTooLate),
            (false, false) => Some(NotificationOutcome::Unwanted),
            (false, true) => None,
        },
    });
    std::iter::once(at_once).chain(reminders).collect()
}

/// From when on a mail that goes out at once is of no use.
fn expires_at(now: DateTime<Utc>, kind: NotificationKind, start: DateTime<Utc>) -> DateTime<Utc> {
    match kind {
        NotificationKind::Confirmation | NotificationKind::Reschedule | NotificationKind::Reminder => start,
        NotificationKind::Cancellation => now + TimeDelta::days(4),
    }
}

/// Writes the rows in one statement and makes the jobs of those that are near.
async fn write(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    subject: &Subject<'_>,
    rows: Vec<Planned>,
) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let kinds: Vec<NotificationKind> = rows.iter().map(|row| row.kind).collect();
    let rules: Vec<Option<i16>> = rows.iter().map(|row| row.rule).collect();
    let keys: Vec<String> = rows.iter().map(|row| dedupe_key(subject, row)).collect();
    let send_at: Vec<DateTime<Utc>> = rows.iter().map(|row| row.send_at).collect();
    let expires_at: Vec<DateTime<Utc>> = rows.iter().map(|row| row.expires_at).collect();
    let enqueued_at: Vec<Option<DateTime<Utc>>> =
        rows.iter().map(|row| row.is_near(now).then_some(now)).collect();
    let outcomes: Vec<Option<NotificationOutcome>> = rows.iter().map(|row| row.outcome).collect();
    sqlx::query!(
        r#"
        INSERT INTO notifications (id, booking_id, kind, rule, rev, dedupe_key, recipient, locale, send_at, expires_at,
                                   enqueued_at, outcome, outcome_at, created_at)
        SELECT id, $1, kind, rule, $2, dedupe_key, $3, $4, send_at, expires_at, enqueued_at, outcome,
               CASE WHEN outcome IS NOT NULL THEN $5::timestamptz END, $5::timestamptz
        FROM unnest($6::uuid[], $7::notification_kind[], $8::smallint[], $9::text[], $10::timestamptz[],
                    $11::timestamptz[], $12::timestamptz[], $13::notification_outcome[])
             AS mail (id, kind, rule, dedupe_key, send_at, expires_at, enqueued_at, outcome)
        "#,
        subject.booking_id,
        subject.rev.0,
        subject.recipient.as_str() as _,
        subject.locale.as_str(),
        now,
        &ids,
        &kinds as &[NotificationKind],
        &rules as &[Option<i16>],
        &keys,
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
            payload::job(&Near {
                id: row.id,
                kind: row.kind,
                recipient: Some(subject.recipient.as_str()),
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

/// A mail is owed once: subject, kind, rule and revision in one text.
fn dedupe_key(subject: &Subject<'_>, row: &Planned) -> String {
    let Subject { booking_id, rev, .. } = subject;
    match row.rule {
        Some(rule) => format!("booking:{booking_id}:{}:{rule}:{rev}", row.kind.as_str()),
        None => format!("booking:{booking_id}:{}:{rev}", row.kind.as_str()),
    }
}

/// Ends what older revisions still had to send. A mail past its dot is left to its sender, who knows how it ends; one
/// that was in doubt before stays so, for it may have arrived.
async fn cancel_older(conn: &mut PgConnection, now: DateTime<Utc>, booking_id: Uuid, rev: Rev) -> Result<()> {
    let ended = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE 'cancelled' END::notification_outcome, outcome_at = $3
        WHERE booking_id = $1 AND rev < $2 AND outcome IS NULL AND dot_at IS NULL
        RETURNING id, enqueued_at IS NOT NULL AS "enqueued!"
        "#,
        booking_id,
        rev.0,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in ended.into_iter().filter(|row| row.enqueued) {
        punctual_queue::cancel_by_key(conn, now, SendNotification::KIND, &row.id.to_string())
            .await
            .map_err(queue_error)?;
    }
    Ok(())
}
