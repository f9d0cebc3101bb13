//! Finding customers.

use sqlx::PgPool;

use super::Customer;
use crate::types::{Actor, Cursor, EmailAddress, Locale, Page, PageSize, PersonName, Phone, Zone};
use crate::{Error, Result};

/// Customers whose name or address contains `text`, ignoring case, oldest first; all of them for an empty text. Only staff
/// may search.
pub async fn search(
    pool: &PgPool,
    actor: &Actor,
    text: &str,
    limit: PageSize,
    cursor: Option<Cursor>,
) -> Result<Page<Customer>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let rows = sqlx::query_as!(
        Customer,
        r#"SELECT id, user_id, email::text AS "email: EmailAddress", nullif(name, '') AS "name: PersonName",
                  phone AS "phone: Phone", locale AS "locale: Locale", zone AS "zone: Zone", created_at FROM customers
           WHERE erased_at IS NULL
             AND ($1 = '' OR position(lower($1) IN lower(name)) > 0 OR position(lower($1) IN lower(email::text)) > 0)
             AND ($2::timestamptz IS NULL OR (created_at, id) > ($2, $3))
           ORDER BY created_at, id LIMIT $4"#,
        text.trim(),
        cursor.map(|cursor| cursor.at),
        cursor.map(|cursor| cursor.id),
        i64::try_from(limit.rows() + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(pool)
    .await?;
    let more = rows.len() > limit.rows();
    let data: Vec<Customer> = rows.into_iter().take(limit.rows()).collect();
    let last = data.last().filter(|_| more);
    let next_cursor = last.map(|customer| Cursor { at: customer.created_at, id: customer.id });
    Ok(Page { data, next_cursor })
}
