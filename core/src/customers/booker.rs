//! The customer of a new booking.

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
    /// Whether this is another person who shares the address; only staff may say so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub separate: bool,
}

/// The customer a booking is for.
pub(crate) struct Booked<'a> {
    /// The customer. The row is locked against being erased.
    pub id: Uuid,
    /// The details given, where name or phone differ from the customer's: the booking keeps them.
    pub contact: Option<&'a Contact>,
}

/// The row of an account that books for itself, inserted if there is none. Guests' rows with the same address are joined
/// to the account only once it has verified that address. The row is locked against being erased.
pub(crate) async fn of_account_holder(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    user_id: Uuid,
) -> Result<Booked<'static>> {
    let existing = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE user_id = $1 AND origin = 'account' FOR KEY SHARE",
        user_id
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(id) = existing {
        return Ok(Booked { id, contact: None });
    }
    // The update only serves to wait for, and return, a row that a concurrent booking inserts.
    let id = sqlx::query_scalar!(
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
    .ok_or(Error::SessionEnded)?;
    Ok(Booked { id, contact: None })
}

/// A customer by id. The row is locked against being erased.
pub(crate) async fn on_file(tx: &mut PgConnection, id: Uuid) -> Result<Booked<'static>> {
    let id =
        sqlx::query_scalar!("SELECT id FROM customers WHERE id = $1 AND erased_at IS NULL FOR KEY SHARE", id)
            .fetch_optional(tx)
            .await?
            .ok_or(Error::NotFound("customer"))?;
    Ok(Booked { id, contact: None })
}

/// The customer with this address, inserted if there is none: one address is one customer, or the account that has proven
/// it is its own. Stored details stay as they are, so that nobody can change what another person wrote; those given are
/// kept with the booking. The row is locked against being erased.
pub(crate) async fn of_contact<'a>(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    contact: &'a Contact,
) -> Result<Booked<'a>> {
    lock_address(tx, &contact.email).await?;
    let existing = sqlx::query!(
        r#"SELECT c.id, c.name, c.phone AS "phone: Phone"
           FROM customers AS c LEFT JOIN users ON users.id = c.user_id
           WHERE c.email = $1::text::citext AND c.erased_at IS NULL AND NOT c.separate
             AND (c.user_id IS NULL OR (users.email = c.email AND users.email_verified_at IS NOT NULL))
           ORDER BY c.user_id IS NULL, c.origin, c.created_at, c.id LIMIT 1 FOR KEY SHARE OF c"#,
        contact.email.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(row) = existing.filter(|_| !contact.separate) {
        let differs = row.name != contact.name.as_str() || !same_phone(row.phone.as_ref(), contact);
        return Ok(Booked { id: row.id, contact: differs.then_some(contact) });
    }
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO customers (id, origin, email, name, phone, locale, zone, separate, reminders, created_at, updated_at)
         VALUES ($1, 'guest', $2, $3, $4, $5, $6, $7,
                 NOT EXISTS (SELECT FROM customers AS same WHERE same.email = $2 AND NOT same.reminders), $8, $8)",
        id,
        contact.email.as_str() as _,
        contact.name.as_str(),
        contact.phone.as_ref().map(Phone::as_str),
        contact.locale.map(Locale::as_str),
        contact.zone.map(Zone::name),
        contact.separate,
        now,
    )
    .execute(tx)
    .await?;
    Ok(Booked { id, contact: None })
}

/// Serialises the transactions that look for or merge customers of one address, until this one ends.
pub(super) async fn lock_address(tx: &mut PgConnection, email: &EmailAddress) -> Result<()> {
    let key = email.as_str().to_lowercase();
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key).execute(tx).await?;
    Ok(())
}

/// Whether the stored number and the given one have the same digits, however they are written.
fn same_phone(stored: Option<&Phone>, contact: &Contact) -> bool {
    let digits = |phone: &Phone| phone.as_str().chars().filter(char::is_ascii_digit).collect::<String>();
    stored.map(digits) == contact.phone.as_ref().map(digits)
}
