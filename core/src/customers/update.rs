//! Changing a customer.

use chrono::{DateTime, Utc};
use punctual_queue::Payload as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Customer;
use super::mails::{confirm_again, plan_first};
use super::person::get;
use super::same_person::person_of;
use crate::notifications::SendNotification;
use crate::transaction::change_waking;
use crate::types::{Actor, EmailAddress, ExpectedRev, Note, ParseError, PersonName, Phone};
use crate::{Core, Error, Result};

/// Fields to change; `None` keeps a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::option_option, reason = "what stays differs from what is cleared")]
pub struct CustomerPatch {
    /// Address of mails: see [`correct`].
    pub email: Option<EmailAddress>,
    /// Name.
    pub name: Option<PersonName>,
    /// Phone number.
    pub phone: Option<Option<Phone>>,
    /// A note of staff about the person.
    pub note: Option<Note>,
}

/// Changes a customer; only staff may. Bookings that were made with another name or number keep theirs.
///
/// # Errors
/// [`Error::NotFound`], also for one who was erased; [`Error::Forbidden`]; [`Error::RevMismatch`]; [`Error::Invalid`] for a
/// customer who would have neither an address nor a phone number.
pub async fn update(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    patch: CustomerPatch,
) -> Result<Customer> {
    change_waking(
        core,
        &[SendNotification::QUEUE],
        (*actor, id, expected, patch),
        |(actor, id, expected, patch), tx, now| Box::pin(update_in(tx, now, actor, *id, *expected, patch)),
    )
    .await
}

/// Corrects the address of a person; only staff may. Links in mails to the former address become void. Unsent mails go to
/// the new address, those that failed can be sent again, and each pending or confirmed booking that has not begun is
/// confirmed to the new address, with its link. The same address changes nothing. For a customer who had none, future
/// bookings are confirmed and their reminders planned.
///
/// # Errors
/// [`Error::NotFound`], also for one who was erased; [`Error::Forbidden`]; [`Error::RevMismatch`].
pub async fn correct(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    email: &EmailAddress,
) -> Result<Customer> {
    let patch = CustomerPatch { email: Some(email.clone()), ..CustomerPatch::default() };
    update(core, actor, id, expected, patch).await
}

async fn update_in(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    patch: &CustomerPatch,
) -> Result<Customer> {
    let person = person_of(tx, id).await?;
    // Rows are locked in the order of their ids, as in every statement that locks several, before they are read.
    sqlx::query_scalar!(
        "SELECT id FROM customers WHERE id = ANY($1) AND erased_at IS NULL ORDER BY id FOR NO KEY UPDATE",
        &person,
    )
    .fetch_all(&mut *tx)
    .await?;
    let known = get(&mut *tx, actor, id).await?;
    if !expected.matches(known.rev) {
        return Err(Error::RevMismatch { current: known.rev });
    }
    if let Some(email) = patch.email.as_ref().filter(|email| known.email.as_ref() != Some(*email)) {
        correct_in(tx, now, id, &person, known.email.is_some(), email).await?;
    }
    let CustomerPatch { name, phone, note, .. } = patch;
    if name.is_some() || phone.is_some() || note.is_some() {
        let changed = sqlx::query_scalar!(
            r#"UPDATE customers
               SET name = coalesce($2, name), phone = CASE WHEN $3 THEN $4 ELSE phone END, note = coalesce($5, note),
                   rev = rev + 1, updated_at = $6
               WHERE id = $1 AND erased_at IS NULL AND (email IS NOT NULL OR CASE WHEN $3 THEN $4 ELSE phone END IS NOT NULL)
               RETURNING id"#,
            id,
            name.as_ref().map(PersonName::as_str),
            phone.is_some(),
            phone.as_ref().and_then(Option::as_ref).map(Phone::as_str),
            note.as_ref().map(Note::as_str),
            now,
        )
        .fetch_optional(&mut *tx)
        .await?;
        if changed.is_none() {
            return Err(if known.name.is_none() {
                Error::NotFound("customer")
            } else {
                unreachable_customer()
            });
        }
    }
    get(tx, actor, id).await
}

/// A customer who would have neither an address nor a phone number.
pub(super) fn unreachable_customer() -> Error {
    let message = "a customer needs an e-mail address or a phone number";
    Error::Invalid { pointer: "/phone", error: ParseError::new("required", message) }
}

async fn correct_in(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    id: Uuid,
    person: &[Uuid],
    had_address: bool,
    email: &EmailAddress,
) -> Result<()> {
    // The epoch is part of the links in mails to the former address, which may belong to another person.
    let corrected = sqlx::query_scalar!(
        "UPDATE customers SET email = $2, link_epoch = link_epoch + 1, rev = rev + 1, updated_at = $3
         WHERE id = ANY($1) AND erased_at IS NULL
         RETURNING id",
        person,
        email.as_str() as _,
        now
    )
    .fetch_all(&mut *tx)
    .await?;
    if !corrected.contains(&id) {
        return Err(Error::NotFound("customer"));
    }
    if had_address { confirm_again(tx, now, &corrected, email).await } else { plan_first(tx, now, id).await }
}
