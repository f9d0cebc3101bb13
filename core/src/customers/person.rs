//! One customer, as staff see them.

use chrono::{DateTime, Utc};
use punctual_queue::Payload as _;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::same_person::person_of;
use crate::notifications::plan::{self, Addressee, AtOnce, Subject};
use crate::notifications::{NotificationKind, SendNotification};
use crate::transaction::change_waking;
use crate::types::{Actor, BookingStatus, EmailAddress, ExpectedRev, Locale, PersonName, Phone, Rev, Zone};
use crate::{Core, Error, Result};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The customer's id.
    pub id: Uuid,
    /// The account the customer belongs to; none: a guest.
    pub user_id: Option<Uuid>,
    /// Address of mails; none once erased.
    pub email: Option<EmailAddress>,
    /// Name; none once erased.
    pub name: Option<PersonName>,
    /// Phone number.
    pub phone: Option<Phone>,
    /// Language of mails; none: the business's.
    pub locale: Option<Locale>,
    /// Zone shown second in mails; none: the business's.
    pub zone: Option<Zone>,
    /// Version, for If-Match.
    pub rev: Rev,
    /// When the row was inserted.
    pub created_at: DateTime<Utc>,
}

/// A customer and what they chose, for the export of an account's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedCustomer {
    /// The customer.
    pub customer: Customer,
    /// Whether they want reminders.
    pub reminders: bool,
}

/// A customer; only staff may look.
pub async fn get(db: impl PgExecutor<'_>, actor: &Actor, id: Uuid) -> Result<Customer> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    sqlx::query_as!(
        Customer,
        r#"SELECT id, user_id, email::text AS "email: EmailAddress", nullif(name, '') AS "name: PersonName",
                  phone AS "phone: Phone", locale AS "locale: Locale", zone AS "zone: Zone", rev AS "rev: Rev", created_at
           FROM customers WHERE id = $1"#,
        id
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound("customer"))
}

/// The customers of an account, oldest first.
pub(crate) async fn of_account(db: &mut PgConnection, user_id: Uuid) -> Result<Vec<ExportedCustomer>> {
    let rows = sqlx::query!(
        r#"SELECT id, user_id, email::text AS "email: EmailAddress", nullif(name, '') AS "name: PersonName",
                  phone AS "phone: Phone", locale AS "locale: Locale", zone AS "zone: Zone", rev AS "rev: Rev", created_at, reminders
           FROM customers WHERE user_id = $1 ORDER BY created_at, id"#,
        user_id
    )
    .map(|row| ExportedCustomer {
        customer: Customer {
            id: row.id,
            user_id: row.user_id,
            email: row.email,
            name: row.name,
            phone: row.phone,
            locale: row.locale,
            zone: row.zone,
            rev: row.rev,
            created_at: row.created_at,
        },
        reminders: row.reminders,
    });
    Ok(rows.fetch_all(db).await?)
}

/// Corrects the address of a person; only staff may. Links in mails to the former address become void. Unsent mails go to
/// the new address, those that failed can be sent again, and each pending or confirmed booking that has not begun is
/// confirmed to the new address, with its link. The address it already has changes nothing.
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
    change_waking(
        core,
        &[SendNotification::QUEUE],
        (*actor, id, expected, email.clone()),
        |(actor, id, expected, email), tx, now| Box::pin(correct_in(tx, now, actor, *id, *expected, email)),
    )
    .await
}

async fn correct_in(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    email: &EmailAddress,
) -> Result<Customer> {
    let person = person_of(tx, id).await?;
    // Rows are locked in the order of their ids, as in every statement that locks several, and before they are read.
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
    if known.email.as_ref() == Some(email) {
        return Ok(known);
    }
    // The epoch is part of the links in mails to the former address, whose reader may be somebody else.
    let corrected = sqlx::query_scalar!(
        "UPDATE customers SET email = $2, link_epoch = link_epoch + 1, rev = rev + 1, updated_at = $3
         WHERE id = ANY($1) AND erased_at IS NULL
         RETURNING id",
        &person,
        email.as_str() as _,
        now
    )
    .fetch_all(&mut *tx)
    .await?;
    if !corrected.contains(&id) {
        return Err(Error::NotFound("customer"));
    }
    let bookings = sqlx::query!(
        r#"SELECT b.id, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", lower(b.during) AS "start!",
                  coalesce(c.locale, settings.locale) AS "locale!: Locale"
           FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id CROSS JOIN settings
           WHERE b.customer_id = ANY($1) ORDER BY b.id"#,
        &corrected,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id).collect();
    replace_recipient(tx, &ids, email).await?;
    for booking in bookings.into_iter().filter(|booking| booking.start > now) {
        let kind = match booking.status {
            BookingStatus::Confirmed => NotificationKind::Confirmation,
            BookingStatus::Pending => NotificationKind::Pending,
            _ => continue,
        };
        let subject = Subject::without_reminders(booking.id, booking.rev, booking.start);
        let to = Addressee { email: email.clone(), locale: booking.locale, staff_id: None };
        plan::once_more(tx, now, &subject, AtOnce { kind, to }).await?;
    }
    get(tx, actor, id).await
}

/// Changes the recipient of mails to the customers of these bookings that are unsent, or that failed and can be sent again.
pub(super) async fn replace_recipient(
    tx: &mut PgConnection,
    booking_ids: &[Uuid],
    email: &EmailAddress,
) -> Result<()> {
    sqlx::query!(
        "UPDATE notifications SET recipient = $2
         WHERE id = ANY(ARRAY(SELECT id FROM notifications
                              WHERE booking_id = ANY($1) AND NOT to_staff AND dot_at IS NULL
                                AND (outcome IS NULL OR outcome = 'failed')
                              ORDER BY id FOR NO KEY UPDATE))",
        booking_ids,
        email.as_str() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}
