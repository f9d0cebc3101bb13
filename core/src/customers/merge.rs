//! Merging two customers who are one person.

use chrono::{DateTime, Utc};
use punctual_queue::Payload as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Customer;
use super::booker::address_lock_name;
use super::mails::{plan_first, replace_recipient};
use super::person::get;
use crate::advisory_lock::lock_names;
use crate::notifications::SendNotification;
use crate::transaction::change_waking;
use crate::types::{Actor, EmailAddress, ParseError};
use crate::{Core, Error, Result};

/// Merges a duplicate into a customer; only staff may. The duplicate's bookings become the customer's and keep the name and
/// phone number they were made with. A missing address or phone number is taken from the duplicate. Notes are joined. The
/// duplicate is removed.
///
/// # Errors
/// [`Error::NotFound`], also for one who was erased; [`Error::Forbidden`]; [`Error::Invalid`] for the customer itself, and
/// for customers of two accounts.
pub async fn merge(core: &Core, actor: &Actor, id: Uuid, duplicate_id: Uuid) -> Result<Customer> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let queues = &[SendNotification::QUEUE];
    let customer =
        change_waking(core, queues, (*actor, id, duplicate_id), |(actor, id, duplicate_id), tx, now| {
            Box::pin(async move {
                merge_into(tx, now, *id, *duplicate_id).await?;
                get(tx, actor, *id).await
            })
        })
        .await?;
    tracing::info!(customer_id = %id, duplicate = %duplicate_id, by = ?actor.caller_id(), "customers were merged");
    Ok(customer)
}

/// Merges the customers of an account that has just verified its address. The caller has locked the account.
pub(crate) async fn merge_account(tx: &mut PgConnection, now: DateTime<Utc>, user_id: Uuid) -> Result<()> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE user_id = $1 AND erased_at IS NULL AND NOT separate
         ORDER BY origin, created_at, id",
        user_id
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some((first, duplicates)) = ids.split_first() else { return Ok(()) };
    for duplicate in duplicates {
        merge_into(tx, now, *first, *duplicate).await?;
    }
    Ok(())
}

/// Lock order: address → customers by id → bookings by id → mails by id.
async fn merge_into(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid, duplicate_id: Uuid) -> Result<()> {
    let invalid =
        |code, message| Error::Invalid { pointer: "/duplicate_id", error: ParseError::new(code, message) };
    if id == duplicate_id {
        return Err(invalid("same_customer", "a customer cannot be merged with itself"));
    }
    let addresses: Vec<EmailAddress> = sqlx::query_scalar!(
        r#"SELECT email::text AS "email!: EmailAddress" FROM customers WHERE id IN ($1, $2) AND email IS NOT NULL"#,
        id,
        duplicate_id,
    )
    .fetch_all(&mut *tx)
    .await?;
    let names: Vec<String> = addresses.iter().map(address_lock_name).collect();
    lock_names(tx, &names, true).await?;
    // A concurrent booking for the duplicate holds a key share lock: this waits for it, and moves it below.
    let rows = sqlx::query!(
        r#"SELECT id, user_id, email::text AS "email: EmailAddress" FROM customers
           WHERE id IN ($1, $2) AND erased_at IS NULL ORDER BY id FOR UPDATE"#,
        id,
        duplicate_id,
    )
    .fetch_all(&mut *tx)
    .await?;
    let find = |wanted| rows.iter().find(|row| row.id == wanted).ok_or(Error::NotFound("customer"));
    let (kept, duplicate) = (find(id)?, find(duplicate_id)?);
    if duplicate.user_id.is_some() && duplicate.user_id != kept.user_id {
        return Err(invalid(
            "other_account",
            "the duplicate has an account: merge the other one into it, or none if both have one",
        ));
    }
    let moved = sqlx::query_scalar!(
        "UPDATE bookings AS b
         SET customer_id = $1, contact_name = coalesce(b.contact_name, duplicate.name),
             contact_phone = CASE WHEN b.contact_name IS NULL THEN duplicate.phone ELSE b.contact_phone END,
             updated_at = $3
         FROM customers AS duplicate
         WHERE duplicate.id = $2
           AND b.id = ANY(ARRAY(SELECT id FROM bookings WHERE customer_id = $2 ORDER BY id FOR NO KEY UPDATE))
         RETURNING b.id",
        id,
        duplicate_id,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    if let Some(email) = kept.email.as_ref().filter(|email| duplicate.email.as_ref() != Some(*email)) {
        replace_recipient(tx, &moved, email).await?;
    }
    // Mails with links that the duplicate requested: their rows stay in the ledger.
    sqlx::query!(
        "UPDATE notifications SET customer_id = $1
         WHERE id = ANY(ARRAY(SELECT id FROM notifications WHERE customer_id = $2 ORDER BY id FOR NO KEY UPDATE))",
        id,
        duplicate_id,
    )
    .execute(&mut *tx)
    .await?;
    let kept_row = sqlx::query!(
        "UPDATE customers AS c
         SET email = coalesce(c.email, duplicate.email), phone = coalesce(c.phone, duplicate.phone),
             note = left(concat_ws(E'\n', nullif(c.note, ''), nullif(duplicate.note, '')), 2000),
             reminders = c.reminders AND duplicate.reminders, link_epoch = greatest(c.link_epoch, duplicate.link_epoch),
             created_at = least(c.created_at, duplicate.created_at), rev = c.rev + 1, updated_at = $3
         FROM customers AS duplicate WHERE c.id = $1 AND duplicate.id = $2",
        id,
        duplicate_id,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let removed = sqlx::query!(
        "WITH removed AS (DELETE FROM customers WHERE id = $1 RETURNING id)
         INSERT INTO catalogue_events (subject, subject_id, change, at)
         SELECT 'customer', id, 'deleted', $2 FROM removed",
        duplicate_id,
        now,
    )
    .execute(&mut *tx)
    .await?;
    match (kept_row.rows_affected(), removed.rows_affected()) {
        (1, 1) if kept.email.is_none() || duplicate.email.is_none() => plan_first(tx, now, id).await,
        (1, 1) => Ok(()),
        _ => Err(Error::internal("merging customers", "one changed under its lock")),
    }
}
