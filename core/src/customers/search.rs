//! Finding customers.

use sqlx::PgPool;

use super::Customer;
use crate::types::{Actor, Cursor, EmailAddress, Locale, Page, PageSize, PersonName, Phone, Rev, Zone};
use crate::{Error, Result};

/// Customers whose name, address and phone number together contain each word of `text`, in any order, ignoring case, accents
/// and Unicode form, oldest first; all of them for an empty text. Only staff may search.
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
                  phone AS "phone: Phone", locale AS "locale: Locale", zone AS "zone: Zone", rev AS "rev: Rev",
                  created_at FROM customers
           WHERE erased_at IS NULL
             AND NOT EXISTS (
                 SELECT FROM regexp_split_to_table(lower(unaccent(normalize($1, NFC))), '\s+') AS word
                 WHERE position(word IN lower(unaccent(normalize(concat_ws(' ', name, email, phone), NFC)))) = 0)
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
