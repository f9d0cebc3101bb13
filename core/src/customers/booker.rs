//! The customer row of a new booking.

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

/// The row of an account that books for itself, inserted if there is none. Guests' rows with the same address are joined
/// to the account only once it has verified that address. The row is locked against being erased.
pub(crate) async fn of_account_holder(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    user_id: Uuid,
) -> Result<Uuid> {
    let existing = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE user_id = $1 AND origin = 'account' FOR KEY SHARE",
        user_id
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(id) = existing {
        return Ok(id);
    }
    // The update only serves to wait for, and return, a row that a concurrent booking inserts.
    sqlx::query_scalar!(
        "INSERT INTO customers (id, user_id, origin, email, name, phone, locale, zone, reminders, created_at, updated_at)
         SELECT $1, id, 'account', email, name, phone, locale, zone,
                NOT EXISTS (SELECT FROM customers AS same WHERE same.email = users.email AND NOT same.reminders), $3, $3
         FROM users WHERE id = $2
         ON CONFLICT (user_id) WHERE origin = 'account' DO UPDATE SET updated_at = $3
         RETURNING id",
        new_id(now),
        user_id,
        now,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::SessionEnded)
}

/// The row of a customer by id, locked against being erased.
pub(crate) async fn on_file(tx: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    sqlx::query_scalar!("SELECT id FROM customers WHERE id = $1 AND erased_at IS NULL FOR KEY SHARE", id)
        .fetch_optional(tx)
        .await?
        .ok_or(Error::NotFound("customer"))
}

/// The row with exactly these contact details, inserted if there is none. Other details with the same address get
/// another row, so a booking cannot change another person's data. The row is locked against being erased.
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
