//! The customer row of a new booking.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::types::{EmailAddress, Locale, PersonName, Phone, Zone};
use crate::{Error, Result};

/// A person by their contact details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Where mails go.
    pub email: EmailAddress,
    /// Name.
    pub name: PersonName,
    /// Phone number.
    pub phone: Option<Phone>,
    /// Language of mails; none: the business's.
    pub locale: Option<Locale>,
    /// Zone shown second in mails; none: the business's.
    pub zone: Option<Zone>,
}

/// Whether an account that books for itself has a customer row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountHolder {
    /// Its row, locked against being erased.
    Known(Uuid),
    /// It has none yet: [`insert_account_holders`].
    New,
}

/// The customer rows of accounts that book for themselves; accounts that are gone are left out. Guests' rows with the same
/// address are joined to an account only once it has verified that address.
pub(crate) async fn find_account_holders(
    tx: &mut PgConnection,
    user_ids: &[Uuid],
) -> Result<HashMap<Uuid, AccountHolder>> {
    let known = sqlx::query!(
        r#"SELECT user_id AS "user_id!", id FROM customers
           WHERE user_id = ANY($1) AND origin = 'account' ORDER BY id FOR KEY SHARE"#,
        user_ids
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut holders: HashMap<Uuid, AccountHolder> =
        known.into_iter().map(|row| (row.user_id, AccountHolder::Known(row.id))).collect();
    let missing: Vec<Uuid> = user_ids.iter().copied().filter(|id| !holders.contains_key(id)).collect();
    if !missing.is_empty() {
        let accounts =
            sqlx::query_scalar!("SELECT id FROM users WHERE id = ANY($1)", &missing).fetch_all(tx).await?;
        holders.extend(accounts.into_iter().map(|id| (id, AccountHolder::New)));
    }
    Ok(holders)
}

/// Inserts the customer rows of these accounts and returns them by account. The rows are locked against being erased.
///
/// # Errors
/// [`Error::SessionEnded`] when an account was deleted meanwhile.
pub(crate) async fn insert_account_holders(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    user_ids: &[Uuid],
) -> Result<HashMap<Uuid, Uuid>> {
    let ids: Vec<Uuid> = user_ids.iter().map(|_| new_id(now)).collect();
    // The update only serves to wait for, and return, a row that a concurrent booking inserts.
    let rows = sqlx::query!(
        r#"INSERT INTO customers (id, user_id, origin, email, name, phone, locale, zone, reminders, created_at, updated_at)
           SELECT i.id, users.id, 'account', email, name, phone, locale, zone,
                  NOT EXISTS (SELECT FROM customers AS same WHERE same.email = users.email AND NOT same.reminders), $3, $3
           FROM unnest($1::uuid[], $2::uuid[]) AS i (id, user_id) JOIN users ON users.id = i.user_id
           ORDER BY users.id
           ON CONFLICT (user_id) WHERE origin = 'account' DO UPDATE SET updated_at = $3
           RETURNING user_id AS "user_id!", id"#,
        &ids,
        user_ids,
        now,
    )
    .fetch_all(tx)
    .await?;
    if rows.len() == user_ids.len() {
        Ok(rows.into_iter().map(|row| (row.user_id, row.id)).collect())
    } else {
        Err(Error::SessionEnded)
    }
}

/// The row of a customer by id, locked against being erased.
pub(crate) async fn on_file(tx: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    sqlx::query_scalar!("SELECT id FROM customers WHERE id = $1 AND erased_at IS NULL FOR KEY SHARE", id)
        .fetch_optional(tx)
        .await?
        .ok_or(Error::NotFound("customer"))
}

/// The row with exactly these contact details, inserted if there is none. Other details with the same address make another
/// row, so that nobody can change what another person wrote. The row is locked against being erased.
pub(crate) async fn of_contact(tx: &mut PgConnection, now: DateTime<Utc>, contact: &Contact) -> Result<Uuid> {
    let phone = contact.phone.as_ref().map(Phone::as_str);
    let locale = contact.locale.map(Locale::as_str);
    let zone = contact.zone.map(Zone::name);
    let existing = sqlx::query_scalar!(
        "SELECT id FROM customers
         WHERE email = $1::text::citext AND origin = 'guest' AND user_id IS NULL AND erased_at IS NULL AND name = $2
           AND phone IS NOT DISTINCT FROM $3 AND locale IS NOT DISTINCT FROM $4 AND zone IS NOT DISTINCT FROM $5
         ORDER BY id LIMIT 1 FOR KEY SHARE",
        contact.email.as_str(),
        contact.name.as_str(),
        phone,
        locale,
        zone,
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(id) = existing {
        return Ok(id);
    }
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO customers (id, origin, email, name, phone, locale, zone, reminders, created_at, updated_at)
         VALUES ($1, 'guest', $2, $3, $4, $5, $6,
                 NOT EXISTS (SELECT FROM customers AS same WHERE same.email = $2 AND NOT same.reminders), $7, $7)",
        id,
        contact.email.as_str() as _,
        contact.name.as_str(),
        phone,
        locale,
        zone,
        now,
    )
    .execute(tx)
    .await?;
    Ok(id)
}
