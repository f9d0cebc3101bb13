//! Reminders of several services of one visit: the first that is handed off on a day shows the visit and covers the others
//! that are due on that day. A covered reminder ends when the covering one was sent to the same address. While the result of
//! that one is open it waits, and in every other case it is sent itself: rather a second reminder than none.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Sending;
use crate::Result;
use crate::notifications::NotificationOutcome;
use crate::types::Rev;

/// What a reminder of a visit has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is to be sent.
    Send,
    /// Another one is being sent.
    Wait,
    /// Another one was sent.
    Covered,
}

/// Locks the bookings of the reminder's visit against changes and returns the sum of their revisions.
pub(super) async fn lock_revs(conn: &mut PgConnection, booking_id: Option<Uuid>) -> Result<i64> {
    let revs = sqlx::query_scalar!(
        r#"SELECT rev AS "rev: Rev" FROM bookings
           WHERE visit_id = (SELECT visit_id FROM bookings WHERE id = $1) ORDER BY id FOR SHARE"#,
        booking_id,
    )
    .fetch_all(conn)
    .await?;
    Ok(revs.into_iter().map(|rev| i64::from(rev.0)).sum())
}

/// Whether this reminder is to be sent. Locks the open reminders of the visit, so that of two at the same time only one is
/// sent first. The caller has locked the bookings.
pub(super) async fn turn(conn: &mut PgConnection, sending: &Sending) -> Result<Turn> {
    sqlx::query_scalar!(
        "SELECT id FROM notifications
         WHERE kind = 'reminder' AND outcome IS NULL AND booking_id = ANY(ARRAY(
             SELECT other.id FROM bookings AS b JOIN bookings AS other ON other.visit_id = b.visit_id WHERE b.id = $1))
         ORDER BY id FOR NO KEY UPDATE",
        sending.booking_id,
    )
    .fetch_all(&mut *conn)
    .await?;
    let cover = sqlx::query!(
        r#"SELECT cover.outcome AS "outcome: NotificationOutcome", cover.dot_at IS NOT NULL AS "is_handed_off!"
           FROM notifications AS n JOIN notifications AS cover ON cover.id = n.covered_by
           WHERE n.id = $1 AND cover.recipient = n.recipient"#,
        sending.notification_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(match cover.map(|cover| (cover.outcome, cover.is_handed_off)) {
        Some((Some(NotificationOutcome::Sent), _)) => Turn::Covered,
        Some((None, true)) => Turn::Wait,
        // It was refused, is deferred, or may not have arrived; or there is none.
        Some(_) | None => Turn::Send,
    })
}

/// Marks the visit's other reminders that are due on the same date as covered by this one, which is handed off: those of
/// confirmed bookings of the same customer that start on the same date, and not those of older revisions.
pub(super) async fn cover_others(conn: &mut PgConnection, sending: &Sending) -> Result<()> {
    sqlx::query!(
        "UPDATE notifications AS n SET covered_by = $1
         FROM notifications AS sent JOIN bookings AS shown ON shown.id = sent.booking_id
              JOIN bookings AS other ON other.visit_id = shown.visit_id AND other.id <> shown.id
                   AND other.status = 'confirmed' AND other.customer_id = shown.customer_id
                   AND other.local_start::date = shown.local_start::date
         WHERE sent.id = $1 AND n.booking_id = other.id AND n.kind = 'reminder' AND n.rev = other.rev
           AND n.recipient = sent.recipient AND n.outcome IS NULL AND n.dot_at IS NULL
           AND (n.send_at AT TIME ZONE shown.zone)::date = (sent.send_at AT TIME ZONE shown.zone)::date",
        sending.notification_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}
