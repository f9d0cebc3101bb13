//! The customer a booking is made for.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::bookings::{Booker, Contact};
use crate::types::{Actor, Locale, Phone, Zone};
use crate::{Error, Result};

/// The row of whom a booking is for, made if it is not there. It is held against being erased until the booking stands.
pub(crate) async fn of_booker(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    booker: &Booker,
) -> Result<Uuid> {
    match (booker, actor.user_id()) {
        (Booker::Myself, Some(user_id)) => of_account(tx, now, user_id).await,
        (Booker::Myself, None) => Err(Error::LoginRequired),
        (Booker::Customer(id), _) => on_file(tx, *id).await,
        (Booker::Person(contact), _) => of_contact(tx, now, contact).await,
    }
}

/// An account books for itself by a row of its own; rows of guests with the same address are joined to it only once
/// the address is verified.
async fn of_account(tx: &mut PgConnection, now: DateTime<Utc>, user_id: Uuid) -> Result<Uuid> {
    let existing = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE user_id = $1 AND origin = 'account' FOR KEY SHARE",
        user_id
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(id) = existing {
        return Ok(id);
    }
    // The update is of no use but to wait for, and answer, a row that a booking with other staff is just making.
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

async fn on_file(tx: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    sqlx::query_scalar!("SELECT id FROM customers WHERE id = $1 AND erased_at IS NULL FOR KEY SHARE", id)
        .fetch_optional(tx)
        .await?
        .ok_or(Error::NotFound("customer"))
}

/// The same details make the same customer; other details by the same address are somebody else until proven, so that
/// nobody changes what another wrote.
async fn of_contact(tx: &mut PgConnection, now: DateTime<Utc>, contact: &Contact) -> Result<Uuid> {
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
