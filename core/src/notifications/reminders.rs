//! Ending reminders, and planning them again, when a customer turns them off or on.

use chrono::{DateTime, Utc};
use punctual_queue::Payload;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{EndedMail, NotificationKind, NotificationOutcome, SendNotification, record_ended};
use crate::{Error, Result};

/// Ends the reminders of these bookings that are not sent yet as `unwanted`. One that is handed off or in doubt stays.
pub async fn cancel_reminders(tx: &mut PgConnection, now: DateTime<Utc>, booking_ids: &[Uuid]) -> Result<()> {
    let ended = sqlx::query!(
        r#"UPDATE notifications
           SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE 'unwanted' END::notification_outcome, outcome_at = $2
           WHERE id = ANY(ARRAY(SELECT id FROM notifications
                                WHERE booking_id = ANY($1) AND kind = 'reminder' AND outcome IS NULL AND dot_at IS NULL
                                ORDER BY id FOR NO KEY UPDATE))
           RETURNING id, kind AS "kind: NotificationKind", outcome AS "outcome!: NotificationOutcome",
                     enqueued_at IS NOT NULL AS "enqueued!""#,
        booking_ids,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    record_ended(ended.iter().map(|row| EndedMail { id: row.id, kind: row.kind, outcome: row.outcome }));
    for row in ended.into_iter().filter(|row| row.enqueued) {
        punctual_queue::cancel_by_key(tx, now, SendNotification::KIND, &row.id.to_string())
            .await
            .map_err(|error| Error::internal("the queue of mails", error))?;
    }
    Ok(())
}

/// Plans the reminders of these bookings again that are not due yet, where both the booking and its customer want them;
/// the leader enqueues them when they are due. If a booking changes concurrently, its new revision plans its own reminders
/// and those of the old one are not handed off.
pub async fn plan_reminders_again(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    booking_ids: &[Uuid],
) -> Result<()> {
    sqlx::query!(
        "UPDATE notifications SET outcome = NULL, outcome_at = NULL, enqueued_at = NULL
         WHERE id = ANY(ARRAY(SELECT n.id FROM notifications AS n JOIN bookings AS b ON b.id = n.booking_id
                              JOIN customers AS c ON c.id = b.customer_id
                              WHERE b.id = ANY($1) AND b.reminders AND c.reminders AND n.kind = 'reminder'
                                AND n.outcome = 'unwanted' AND n.rev = b.rev AND b.status = 'confirmed' AND n.send_at >= $2
                              ORDER BY n.id FOR NO KEY UPDATE OF n))",
        booking_ids,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
