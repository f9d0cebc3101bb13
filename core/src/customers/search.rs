//! Finding customers.

use sqlx::PgPool;

use super::Customer;
use super::person::Row;
use crate::types::{Actor, Cursor, Page, PageSize};
use crate::{Error, Result};

/// Customers whose name or address contains `text` (without case), by when they were made; all of them where it is
/// empty. Only staff may look.
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
        Row,
        r#"SELECT id, user_id, email::text, name, phone, locale, zone, created_at FROM customers
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
    let data: Vec<Customer> =
        rows.into_iter().take(limit.rows()).map(Customer::try_from).collect::<Result<_>>()?;
    let last = data.last().filter(|_| more);
    let next_cursor = last.map(|customer| Cursor { at: customer.created_at, id: customer.id });
    Ok(Page { data, next_cursor })
}
