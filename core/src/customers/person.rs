//! One customer, as staff see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::privacy::ExportedCustomer;
use crate::types::{Actor, EmailAddress, Locale, ParseError, PersonName, Phone, Zone};
use crate::{Error, Result};

/// Somebody who books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The customer's id.
    pub id: Uuid,
    /// The account whose bookings these are; none: a guest.
    pub user_id: Option<Uuid>,
    /// Where mails go; none once erased.
    pub email: Option<EmailAddress>,
    /// Name; none once erased.
    pub name: Option<PersonName>,
    /// Phone number.
    pub phone: Option<Phone>,
    /// Language of mails; none: the business's.
    pub locale: Option<Locale>,
    /// Zone shown second in mails; none: the business's.
    pub zone: Option<Zone>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

pub(super) struct Row {
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub email: Option<String>,
    pub name: String,
    pub phone: Option<String>,
    pub locale: Option<String>,
    pub zone: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Customer {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let stored = |error: ParseError| Error::internal("customers hold a bad value", error);
        Ok(Self {
            id: row.id,
            user_id: row.user_id,
            email: row.email.map(|text| EmailAddress::parse(&text)).transpose().map_err(stored)?,
            name: match row.name.as_str() {
                "" => None,
                name => Some(PersonName::parse(name).map_err(stored)?),
            },
            phone: row.phone.map(|text| Phone::parse(&text)).transpose().map_err(stored)?,
            locale: row.locale.map(|text| Locale::parse(&text)).transpose().map_err(stored)?,
            zone: row.zone.map(|text| Zone::parse(&text)).transpose().map_err(stored)?,
            created_at: row.created_at,
        })
    }
}

/// A customer; only staff may look.
pub async fn get(db: impl PgExecutor<'_>, actor: &Actor, id: Uuid) -> Result<Customer> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    sqlx::query_as!(
        Row,
        "SELECT id, user_id, email::text, name, phone, locale, zone, created_at FROM customers WHERE id = $1",
        id
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound("customer"))?
    .try_into()
}

/// As whom an account has booked, with what was chosen about reminders, in the order in which the rows were made.
pub(crate) async fn of_account(db: &mut PgConnection, user_id: Uuid) -> Result<Vec<ExportedCustomer>> {
    let rows = sqlx::query!(
        "SELECT id, user_id, email::text, name, phone, locale, zone, created_at, reminders FROM customers
         WHERE user_id = $1 ORDER BY created_at, id",
        user_id
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reminders = row.reminders;
            let row = Row {
                id: row.id,
                user_id: row.user_id,
                email: row.email,
                name: row.name,
                phone: row.phone,
                locale: row.locale,
                zone: row.zone,
                created_at: row.created_at,
            };
            Ok(ExportedCustomer { customer: row.try_into()?, reminders })
        })
        .collect()
}

/// Corrects a customer's address, also in mails that are planned but not yet sent and in those that were refused, which
/// can be sent again; only staff may.
/// [`Error::NotFound`] for one who was erased.
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
    // In the order of their ids, as everybody who locks several.
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
