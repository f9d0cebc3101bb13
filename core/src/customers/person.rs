//! One customer, as staff see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::types::{Actor, EmailAddress, Locale, PersonName, Phone, Zone};
use crate::{Error, Result};

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
                  phone AS "phone: Phone", locale AS "locale: Locale", zone AS "zone: Zone", created_at
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
                  phone AS "phone: Phone", locale AS "locale: Locale", zone AS "zone: Zone", created_at, reminders
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
            created_at: row.created_at,
        },
        reminders: row.reminders,
    });
    Ok(rows.fetch_all(db).await?)
}

/// Corrects a customer's address, also as the recipient of mails that are not yet sent and of those that failed, which
/// can be sent again; only staff may.
///
/// # Errors
/// [`Error::NotFound`], also for one who was erased; [`Error::Forbidden`].
pub async fn correct(
    pool: &PgPool,
    now: DateTime<Utc>,
    actor: &Actor,
    id: Uuid,
    email: &EmailAddress,
) -> Result<Customer> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let mut tx = pool.begin().await?;
    let corrected = sqlx::query!(
        "UPDATE customers SET email = $2, updated_at = $3 WHERE id = $1 AND erased_at IS NULL",
        id,
        email.as_str() as _,
        now
    )
    .execute(&mut *tx)
    .await?;
    if corrected.rows_affected() == 0 {
        return Err(Error::NotFound("customer"));
    }
    // Rows are locked in the order of their ids, as in every statement that locks several.
    sqlx::query!(
        "UPDATE notifications SET recipient = $2
         WHERE id = ANY(ARRAY(SELECT n.id FROM notifications AS n JOIN bookings AS b ON b.id = n.booking_id
                              WHERE b.customer_id = $1 AND NOT n.to_staff AND n.dot_at IS NULL
                                AND (n.outcome IS NULL OR n.outcome = 'failed')
                              ORDER BY n.id FOR NO KEY UPDATE OF n))",
        id,
        email.as_str() as _
    )
    .execute(&mut *tx)
    .await?;
    let customer = get(&mut *tx, actor, id).await?;
    tx.commit().await?;
    Ok(customer)
}
