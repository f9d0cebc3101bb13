//! Finding customers.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::Customer;
use super::select::select_customers;
use crate::types::{Actor, Country, Cursor, Order, Page, PageSize, SearchWords};
use crate::{Error, Result};

/// Filters of a list of customers. Erased customers are in no list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListCustomers {
    /// Those whose name, address and phone number together contain each of these words, in any order, ignoring case, accents
    /// and Unicode form; an empty text matches all. Digits also match a phone number that is written in another way, with or
    /// without its country code.
    pub search: String,
    /// Those that changed at this instant or later.
    pub updated_since: Option<DateTime<Utc>>,
    /// Order, by creation.
    pub order: Order,
    /// Rows of one page.
    pub limit: PageSize,
    /// Where the page begins; none: at the first row.
    pub cursor: Option<Cursor>,
}

/// A page of customers; only staff may search.
pub async fn search(pool: &PgPool, actor: &Actor, which: &ListCustomers) -> Result<Page<Customer>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let country = sqlx::query_scalar!(r#"SELECT country AS "country: Country" FROM settings"#);
    let words = SearchWords::of(&which.search, country.fetch_optional(pool).await?.flatten());
    let rows = match which.order {
        Order::Ascending => select_customers!(
            r#"(SELECT * FROM customers
                WHERE erased_at IS NULL AND has_words(concat_ws(' ', name, email, phone), coalesce(phone, ''), $1, $2, $3)
                  AND ($4::timestamptz IS NULL OR updated_at >= $4)
                  AND ($5::timestamptz IS NULL OR (created_at, id) > ($5, $6))
                ORDER BY created_at, id LIMIT $7)"#
            "ORDER BY c.created_at, c.id",
            &words.words,
            &words.digits,
            &words.number,
            which.updated_since,
            which.cursor.map(|cursor| cursor.at),
            which.cursor.map(|cursor| cursor.id),
            i64::try_from(which.limit.rows() + 1).unwrap_or(i64::MAX),
        )
        .fetch_all(pool)
        .await?,
        Order::Descending => select_customers!(
            r#"(SELECT * FROM customers
                WHERE erased_at IS NULL AND has_words(concat_ws(' ', name, email, phone), coalesce(phone, ''), $1, $2, $3)
                  AND ($4::timestamptz IS NULL OR updated_at >= $4)
                  AND ($5::timestamptz IS NULL OR (created_at, id) < ($5, $6))
                ORDER BY created_at DESC, id DESC LIMIT $7)"#
            "ORDER BY c.created_at DESC, c.id DESC",
            &words.words,
            &words.digits,
            &words.number,
            which.updated_since,
            which.cursor.map(|cursor| cursor.at),
            which.cursor.map(|cursor| cursor.id),
            i64::try_from(which.limit.rows() + 1).unwrap_or(i64::MAX),
        )
        .fetch_all(pool)
        .await?,
    };
    let more = rows.len() > which.limit.rows();
    let data: Vec<Customer> = rows.into_iter().take(which.limit.rows()).map(|row| row.customer).collect();
    let last = data.last().filter(|_| more);
    let next_cursor = last.map(|customer| Cursor { at: customer.created_at, id: customer.id });
    Ok(Page { data, next_cursor })
}
