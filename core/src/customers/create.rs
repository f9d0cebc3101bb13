//! Adding a customer without a booking.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Customer;
use super::booker::{Contact, NewCustomer as NewRow, contact_lock_name, find_known, insert_contacts};
use super::person::get;
use super::update::unreachable_customer;
use crate::advisory_lock::lock_names;
use crate::idempotency::{Answer, IdempotencyKey, Request, change_once};
use crate::types::{Actor, Note, ParseError};
use crate::{Core, Error, Result};

/// A new customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewCustomer {
    /// Contact details; without an address the phone number is required.
    pub contact: Contact,
    /// A note of staff about the person.
    pub note: Note,
}

/// Adds a customer; only staff may.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`] without address and phone number, and for a person who is a
/// customer already, unless the contact has `separate`; with a key [`Error::IdempotencyInProgress`] and
/// [`Error::IdempotencyKeyReused`].
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    new: NewCustomer,
) -> Result<Answer<Customer>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    if new.contact.email.is_none() && new.contact.phone.is_none() {
        return Err(unreachable_customer());
    }
    let request = Request::with_key("customers.create", actor, key, &new)?;
    // Only the id is stored as the answer, so that no personal data remains there after an erasure.
    let Answer { value: id, replayed } =
        change_once(core, request, new, |new, tx, now| Box::pin(insert(tx, now, new))).await?;
    Ok(Answer { value: get(&core.pool, actor, id).await?, replayed })
}

async fn insert(tx: &mut PgConnection, now: DateTime<Utc>, new: &NewCustomer) -> Result<Uuid> {
    let NewCustomer { contact, note } = new;
    lock_names(tx, &[contact_lock_name(contact)], true).await?;
    if find_known(tx, contact).await?.is_some() {
        let (pointer, message) = match contact.email {
            Some(_) => (
                "/email",
                "a customer has this address: search for it, or say new_customer for another person",
            ),
            None => (
                "/phone",
                "a customer has this name and number: search for them, or say new_customer for another person",
            ),
        };
        return Err(Error::Invalid { pointer, error: ParseError::new("customer_exists", message) });
    }
    let id = new_id(now);
    insert_contacts(tx, now, &[NewRow { id, contact, note }]).await?;
    Ok(id)
}
