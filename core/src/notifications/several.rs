//! Mails about several bookings that were booked, moved or cancelled together. One shows those of its bookings of which it is
//! true when it is sent: a booking that changed since then has a mail of its own about that.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NotificationKind;
use super::payload::{self, DueJob};
use super::plan::{Addressee, dedupe_key};
use crate::Result;
use crate::types::{BookingStatus, Rev};

/// A mail about several bookings that is due at once.
#[derive(Debug, Clone)]
pub struct AboutSeveral {
    /// Its kind, one of [`NotificationKind::OF_SEVERAL`].
    pub kind: NotificationKind,
    /// Its recipient.
    pub to: Addressee,
    /// The first of the bookings, and its revision after the change.
    pub first: (Uuid, Rev),
    /// All of them.
    pub booking_ids: Vec<Uuid>,
    /// The start of the last one.
    pub last_start: DateTime<Utc>,
}

/// Plans the mails, in the transaction that changes the bookings.
pub async fn plan(conn: &mut PgConnection, now: DateTime<Utc>, mails: &[AboutSeveral]) -> Result<()> {
    for mail in mails {
        let AboutSeveral { kind, to, first: (booking_id, rev), booking_ids, last_start } = mail;
        let id = new_id(now);
        let expires_at = if kind.is_for_what_is_to_come() { *last_start } else { now + TimeDelta::days(4) };
        sqlx::query!(
            "INSERT INTO notifications (id, booking_id, booking_ids, kind, rev, dedupe_key, recipient, locale, to_staff,
                                        staff_id, send_at, expires_at, enqueued_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7::text::citext, $8, $9, $10, $11, $12, $11, $11)",
            id,
            booking_id,
            booking_ids,
            *kind as NotificationKind,
            rev.0,
            dedupe_key(*booking_id, *rev, *kind, None, to.staff_id),
            to.email.as_str(),
            to.locale.as_str(),
            kind.is_for_staff(),
            to.staff_id,
            now,
            expires_at,
        )
        .execute(&mut *conn)
        .await?;
        let due = DueJob { id, kind: *kind, recipient: Some(to.email.as_str()), send_at: now, expires_at };
        punctual_queue::enqueue(conn, now, payload::job(&due)?).await?;
    }
    Ok(())
}

/// Locks the bookings of a mail against changes and returns the sum of their revisions: it grows with each change of one of
/// them.
pub(super) async fn lock_revs(conn: &mut PgConnection, notification_id: Uuid) -> Result<i64> {
    let revs = sqlx::query_scalar!(
        r#"SELECT rev AS "rev: Rev" FROM bookings
           WHERE id = ANY(ARRAY(SELECT unnest(booking_ids) FROM notifications WHERE id = $1)) ORDER BY id FOR SHARE"#,
        notification_id,
    )
    .fetch_all(conn)
    .await?;
    Ok(revs.into_iter().map(|rev| i64::from(rev.0)).sum())
}

/// Whether what the mail says is true of at least one of its bookings.
pub(super) async fn is_true_of_any(
    conn: &mut PgConnection,
    notification_id: Uuid,
    kind: NotificationKind,
) -> Result<bool> {
    let statuses = sqlx::query_scalar!(
        r#"SELECT DISTINCT status AS "status: BookingStatus" FROM bookings
           WHERE id = ANY(ARRAY(SELECT unnest(booking_ids) FROM notifications WHERE id = $1))"#,
        notification_id,
    )
    .fetch_all(conn)
    .await?;
    Ok(statuses.into_iter().any(|status| kind.is_true_of(status)))
}
