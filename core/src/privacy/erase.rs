//! Removing personal data, within the caller's transaction.
//!
//! Lock order: customer → booking → mail → job. A transaction that makes a booking holds a key-share lock on its customer,
//! so either the booking is visible here or the erasure is visible there.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Result, idempotency, notifications};

/// Locks the customers that are not erased, and returns them.
pub(super) async fn lock(tx: &mut PgConnection, customer_ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let locked = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE id = ANY($1) AND erased_at IS NULL ORDER BY id FOR UPDATE",
        customer_ids,
    )
    .fetch_all(tx)
    .await?;
    Ok(locked)
}

/// Refuses customers with a future appointment, whose customer would be unknown.
///
/// # Errors
/// [`Error::HasBookings`].
pub(super) async fn require_no_future_bookings(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    customer_ids: &[Uuid],
) -> Result<()> {
    let booking_ids = sqlx::query_scalar!(
        "SELECT id FROM bookings
         WHERE customer_id = ANY($1) AND status IN ('pending', 'confirmed') AND upper(during) > $2
         ORDER BY lower(during), id",
        customer_ids,
        now,
    )
    .fetch_all(tx)
    .await?;
    if booking_ids.is_empty() { Ok(()) } else { Err(Error::HasBookings(booking_ids)) }
}

/// Erases the locked customers: contact details, notes, and recipients of mails. Unsent mails are cancelled; links in
/// mails stop working.
pub(super) async fn erase(tx: &mut PgConnection, now: DateTime<Utc>, customer_ids: &[Uuid]) -> Result<()> {
    let accounts = sqlx::query_scalar!(
        r#"SELECT user_id AS "user_id!" FROM customers WHERE id = ANY($1) AND user_id IS NOT NULL"#,
        customer_ids,
    )
    .fetch_all(&mut *tx)
    .await?;
    let erased = sqlx::query!(
        "UPDATE customers
         SET user_id = NULL, email = NULL, name = '', phone = NULL, note = '', locale = NULL, zone = NULL, reminders = true,
             link_epoch = link_epoch + 1, updated_at = $2, erased_at = $2
         WHERE id = ANY($1) AND erased_at IS NULL",
        customer_ids,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if usize::try_from(erased.rows_affected()).ok() != Some(customer_ids.len()) {
        return Err(Error::internal("erasing customers", "one was erased under its lock"));
    }
    let bookings = sqlx::query!(
        "UPDATE bookings
         SET customer_note = '', staff_note = '', contact_name = NULL, contact_phone = NULL, for_whom = NULL,
             link_epoch = link_epoch + 1, updated_at = $2
         WHERE id = ANY(ARRAY(SELECT id FROM bookings WHERE customer_id = ANY($1) ORDER BY id FOR NO KEY UPDATE))
         RETURNING id, series_id",
        customer_ids,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let booking_ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id).collect();
    let series_ids: Vec<Uuid> = bookings.iter().filter_map(|booking| booking.series_id).collect();
    // The audit trail keeps that a customer made a change, not who, and no message of staff.
    sqlx::query!(
        "UPDATE booking_events
         SET actor_id = CASE WHEN actor = 'customer' OR actor_id = ANY($2) THEN NULL ELSE actor_id END,
             details = details - 'message'
         WHERE booking_id = ANY($1)",
        &booking_ids,
        &accounts,
    )
    .execute(&mut *tx)
    .await?;
    notifications::forget_person(tx, now, &booking_ids, customer_ids).await?;
    idempotency::forget_bookings(tx, &booking_ids, &series_ids).await
}
