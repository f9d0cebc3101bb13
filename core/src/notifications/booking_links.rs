//! The mail with the links of all future bookings of an address, for customers who lost their mails.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NotificationKind;
use super::payload::{self, DueJob};
use crate::Result;
use crate::types::EmailAddress;

/// Lifetime of the mail; later its recipient will have requested another.
const LIFETIME: TimeDelta = TimeDelta::days(1);

/// Writes the mail and its job, if a customer with this address has future bookings and no such mail waits.
pub(crate) async fn plan(conn: &mut PgConnection, now: DateTime<Utc>, email: &EmailAddress) -> Result<()> {
    let id = new_id(now);
    let expires_at = now + LIFETIME;
    let recipient = sqlx::query_scalar!(
        r#"
        INSERT INTO notifications (id, customer_id, kind, rev, dedupe_key, recipient, locale, send_at, expires_at,
                                   enqueued_at, created_at)
        SELECT $1, c.id, 'booking_links', 0, concat_ws(':', 'customer', c.id, 'booking_links', $1::uuid), c.email,
               coalesce(c.locale, (SELECT locale FROM settings), 'en'), $3, $4, $3, $3
        FROM (SELECT customers.id, customers.email, customers.locale
              FROM customers JOIN bookings AS b ON b.customer_id = customers.id
              WHERE customers.email = $2::text::citext AND customers.erased_at IS NULL
                AND b.status IN ('pending', 'confirmed') AND lower(b.during) > $3
              ORDER BY b.created_at DESC, b.id LIMIT 1 FOR KEY SHARE OF customers) AS c
        WHERE NOT EXISTS (SELECT FROM notifications AS waiting JOIN customers AS same ON same.id = waiting.customer_id
                          WHERE same.email = $2::text::citext AND waiting.outcome IS NULL AND waiting.expires_at > $3)
        RETURNING recipient::text AS "recipient!"
        "#,
        id,
        email.as_str(),
        now,
        expires_at,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(recipient) = recipient else { return Ok(()) };
    let kind = NotificationKind::BookingLinks;
    let due = DueJob { id, kind, recipient: Some(&recipient), send_at: now, expires_at };
    punctual_queue::enqueue(conn, now, payload::job(&due)?).await?;
    Ok(())
}

/// Locks the customer against being erased and returns whether the address is still theirs.
pub(super) async fn applies(
    conn: &mut PgConnection,
    customer_id: Uuid,
    notification_id: Uuid,
) -> Result<bool> {
    let customer = sqlx::query_scalar!(
        "SELECT c.id FROM customers AS c JOIN notifications AS n ON n.customer_id = c.id AND n.recipient = c.email
         WHERE c.id = $1 AND n.id = $2 AND c.erased_at IS NULL FOR SHARE OF c",
        customer_id,
        notification_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(customer.is_some())
}
