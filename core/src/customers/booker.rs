//! The customers of new bookings.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::types::{Country, EmailAddress, Locale, Note, PersonName, Phone, Zone};
use crate::{Error, Result};

/// A person by their contact details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Address of mails; none: a person with a phone number, who gets no mails and whom only staff may book.
    pub email: Option<EmailAddress>,
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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Booked<'a> {
    /// The customer. The row is locked against being erased.
    pub id: Uuid,
    /// The details given, where name or phone differ from the customer's: the booking keeps them.
    pub contact: Option<&'a Contact>,
}

/// Whether an account that books for itself has a customer row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountHolder {
    /// Its row, locked against being erased.
    Known(Uuid),
    /// It has none yet: [`insert_account_holders`].
    New,
}

/// The customer rows of accounts that book for themselves; accounts that are gone are omitted. Guests' rows with the same
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

/// Those of these customers that exist. Their rows are locked against being erased.
pub(crate) async fn find_on_file(tx: &mut PgConnection, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE id = ANY($1) AND erased_at IS NULL ORDER BY id FOR KEY SHARE",
        ids
    )
    .fetch_all(tx)
    .await?;
    Ok(found.into_iter().collect())
}

/// The customers with these contact details, in their order; missing ones are inserted. One address is one customer, or the
/// account that has verified it; without an address, name and phone number identify the customer. Stored details are not
/// changed, so that nobody can overwrite another person's; the given ones are stored with the booking. The rows are locked
/// against being erased. The caller has locked the names of [`contact_lock_name`] by an earlier statement.
pub(crate) async fn of_contacts<'a>(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    contacts: &[&'a Contact],
) -> Result<Vec<Booked<'a>>> {
    let mut known = by_address(tx, contacts).await?;
    let no_note = Note::empty();
    let (mut booked, mut new) = (Vec::with_capacity(contacts.len()), Vec::new());
    for &contact in contacts {
        let key = contact_lock_name(contact);
        if contact.email.is_none()
            && !contact.separate
            && let Some(found) = by_phone(tx, contact).await?
        {
            known.insert(key.clone(), found);
        }
        if let Some(row) = known.get(&key).filter(|row| !contact.separate && row.is_reached_by(contact)) {
            let differs =
                row.name != contact.name.as_str() || !same_digits(row.phone.as_ref(), contact.phone.as_ref());
            booked.push(Booked { id: row.id, contact: differs.then_some(contact) });
            continue;
        }
        let id = new_id(now);
        new.push(NewCustomer { id, contact, note: &no_note });
        booked.push(Booked { id, contact: None });
        if !contact.separate {
            let (name, phone) = (contact.name.as_str().to_owned(), contact.phone.clone());
            known.insert(key, Known { id, name, phone });
        }
    }
    if !new.is_empty() {
        insert_contacts(tx, now, &new).await?;
    }
    Ok(booked)
}

/// The customers with the addresses of these contacts, by [`contact_lock_name`].
async fn by_address(tx: &mut PgConnection, contacts: &[&Contact]) -> Result<HashMap<String, Known>> {
    let addresses: BTreeSet<String> =
        contacts.iter().filter_map(|contact| contact.email.as_ref()).map(address_lock_name).collect();
    let addresses: Vec<String> = addresses.into_iter().collect();
    if addresses.is_empty() {
        return Ok(HashMap::new());
    }
    let existing = sqlx::query!(
        r#"SELECT address AS "address!", found.id, found.name, found.phone AS "phone: Phone"
           FROM unnest($1::text[]) AS address
           CROSS JOIN LATERAL (
               SELECT c.id, c.name, c.phone FROM customers AS c LEFT JOIN users ON users.id = c.user_id
               WHERE c.email = address::citext AND c.erased_at IS NULL AND NOT c.separate
                 AND (c.user_id IS NULL OR (users.email = c.email AND users.email_verified_at IS NOT NULL))
               ORDER BY c.user_id IS NULL, c.origin, c.created_at, c.id LIMIT 1 FOR KEY SHARE OF c) AS found"#,
        &addresses,
    )
    .fetch_all(&mut *tx)
    .await?;
    let known =
        existing.into_iter().map(|row| (row.address, Known { id: row.id, name: row.name, phone: row.phone }));
    Ok(known.collect())
}

/// The customer without an address who has the name and the phone number of this contact.
async fn by_phone(tx: &mut PgConnection, contact: &Contact) -> Result<Option<Known>> {
    let Some(phone) = &contact.phone else { return Ok(None) };
    let rows = sqlx::query!(
        r#"SELECT c.id, c.name, c.phone AS "phone: Phone", settings.country AS "country: Country"
           FROM customers AS c CROSS JOIN settings
           WHERE lower(c.name) = lower($1) AND c.email IS NULL AND c.erased_at IS NULL AND NOT c.separate
           ORDER BY c.created_at, c.id FOR KEY SHARE OF c"#,
        contact.name.as_str(),
    )
    .fetch_all(tx)
    .await?;
    let found = rows
        .into_iter()
        .find(|row| row.phone.as_ref().is_some_and(|known| known.is_same(phone, row.country)));
    // The same number may be written in another way.
    Ok(found.map(|row| Known {
        id: row.id,
        name: contact.name.as_str().to_owned(),
        phone: Some(phone.clone()),
    }))
}

/// The existing customer with these details, if there is one. Only `separate` makes another customer.
pub(super) async fn find_known(tx: &mut PgConnection, contact: &Contact) -> Result<Option<Uuid>> {
    if contact.separate {
        return Ok(None);
    }
    let known = match &contact.email {
        Some(email) => by_address(tx, &[contact]).await?.remove(&address_lock_name(email)),
        None => by_phone(tx, contact).await?,
    };
    Ok(known.map(|known| known.id))
}

/// A customer from the database, or inserted for an earlier contact.
struct Known {
    id: Uuid,
    name: String,
    phone: Option<Phone>,
}

impl Known {
    /// Whether these details, which matched by address or name, are this customer's.
    fn is_reached_by(&self, contact: &Contact) -> bool {
        contact.email.is_some() || same_digits(self.phone.as_ref(), contact.phone.as_ref())
    }
}

/// A new customer.
pub(super) struct NewCustomer<'a> {
    pub id: Uuid,
    pub contact: &'a Contact,
    pub note: &'a Note,
}

/// Inserts customers.
pub(super) async fn insert_contacts(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    customers: &[NewCustomer<'_>],
) -> Result<()> {
    macro_rules! column {
        (|$new:ident| $value:expr) => {
            customers.iter().map(|$new| $value).collect::<Vec<_>>()
        };
    }
    let ids: Vec<Uuid> = column!(|new| new.id);
    let emails: Vec<Option<&str>> = column!(|new| new.contact.email.as_ref().map(EmailAddress::as_str));
    let names: Vec<&str> = column!(|new| new.contact.name.as_str());
    let phones: Vec<Option<&str>> = column!(|new| new.contact.phone.as_ref().map(Phone::as_str));
    let locales: Vec<Option<&str>> = column!(|new| new.contact.locale.map(Locale::as_str));
    let zones: Vec<Option<&str>> = column!(|new| new.contact.zone.map(Zone::name));
    let separate: Vec<bool> = column!(|new| new.contact.separate);
    let notes: Vec<&str> = column!(|new| new.note.as_str());
    sqlx::query!(
        "INSERT INTO customers (id, origin, email, name, phone, locale, zone, separate, note, reminders, created_at,
                                updated_at)
         SELECT id, 'guest', email::citext, name, phone, locale, zone, separate, note,
                NOT EXISTS (SELECT FROM customers AS same
                            WHERE same.email = contact.email::citext AND NOT same.reminders), $9, $9
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::text[])
              AS contact (id, email, name, phone, locale, zone, separate, note)",
        &ids,
        &emails as &[Option<&str>],
        &names as &[&str],
        &phones as &[Option<&str>],
        &locales as &[Option<&str>],
        &zones as &[Option<&str>],
        &separate,
        &notes as &[&str],
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The name of the advisory lock that serialises the transactions which look for or merge customers of one address.
pub(crate) fn address_lock_name(email: &EmailAddress) -> String {
    email.as_str().to_ascii_lowercase()
}

/// The name of the advisory lock that serialises the transactions which look for the customer of these details.
pub(crate) fn contact_lock_name(contact: &Contact) -> String {
    match &contact.email {
        Some(email) => address_lock_name(email),
        None => format!("phone of {}", contact.name.as_str().to_lowercase()),
    }
}

/// Whether both numbers have the same digits, however they are written.
fn same_digits(one: Option<&Phone>, other: Option<&Phone>) -> bool {
    let digits = |phone: &Phone| phone.as_str().chars().filter(char::is_ascii_digit).collect::<String>();
    one.map(digits) == other.map(digits)
}
