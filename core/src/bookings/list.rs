//! Lists of bookings: staff see all, customers their own.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{Row, select_bookings};
use super::{Booking, BookingStatus, ListBookings};
use crate::calendar::{after_date, day_start};
use crate::types::{Actor, Country, Cursor, Order, Page, SearchWords, Zone};
use crate::{Core, Error, Result};

/// Bookings by (start, id): all for staff, their own for customers.
///
/// # Errors
/// [`Error::LoginRequired`]; [`Error::StaffOnly`] for the filters of staff.
pub async fn list(core: &Core, actor: &Actor, which: &ListBookings) -> Result<Page<Booking>> {
    let is_account = matches!(actor, Actor::System | Actor::ApiKey { .. } | Actor::Account { .. });
    if !is_account {
        return Err(Error::LoginRequired);
    }
    if !actor.is_staff() && which.customer_id.is_some() {
        return Err(Error::StaffOnly("customer_id is for staff."));
    }
    if !actor.is_staff() && !which.search.trim().is_empty() {
        return Err(Error::StaffOnly("q is for staff."));
    }
    let db = &mut *core.pool.acquire().await?;
    let range = Range::of(db, which).await?;
    let rows =
        if actor.is_staff() { all(db, which, range).await? } else { own(db, actor, which, range).await? };
    let more = rows.len() > which.limit.rows();
    let cursor_after = |row: &Row| Cursor { at: row.booking.start.to_utc(), id: row.booking.id };
    let next_cursor = if more { rows.get(which.limit.rows() - 1).map(cursor_after) } else { None };
    let data = rows.into_iter().take(which.limit.rows()).map(|row| row.seen_by(actor)).collect();
    Ok(Page { data, next_cursor })
}

/// The starts of a list: from `from`, before `to`.
#[derive(Clone, Copy)]
struct Range {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Range {
    async fn of(db: &mut PgConnection, which: &ListBookings) -> Result<Self> {
        let from = which.from.unwrap_or(DateTime::UNIX_EPOCH);
        let to = which.to.unwrap_or_else(end_of_time);
        let Some(date) = which.date else { return Ok(Self { from, to }) };
        let zone = sqlx::query_scalar!(r#"SELECT zone AS "zone: Zone" FROM settings"#);
        let zone = zone.fetch_optional(db).await?.ok_or(Error::NotFound("business"))?;
        Ok(Self { from: from.max(day_start(zone, date)), to: to.min(day_start(zone, after_date(date))) })
    }
}

/// After every start.
fn end_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp(253_370_764_800, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Where the index scan begins: at the cursor, or at the end of the range where the list begins.
fn begin(which: &ListBookings, range: Range) -> (DateTime<Utc>, Uuid) {
    let cursor = which.cursor.map(|cursor| (cursor.at, cursor.id));
    match which.order {
        Order::Ascending => cursor.map_or((range.from, Uuid::nil()), |at| at.max((range.from, Uuid::nil()))),
        Order::Descending => cursor.map_or((range.to, Uuid::nil()), |at| at.min((range.to, Uuid::nil()))),
    }
}

/// One row more than the page has, which tells whether there is a next page.
fn rows_wanted(which: &ListBookings) -> i64 {
    i64::try_from(which.limit.rows() + 1).unwrap_or(i64::MAX)
}

fn statuses(which: &ListBookings) -> Vec<BookingStatus> {
    if which.statuses.is_empty() {
        BookingStatus::ALL.into_iter().filter(|status| *status != BookingStatus::Held).collect()
    } else {
        which.statuses.clone()
    }
}

/// One page of [`Row`]s in the order of the list; `$conditions` begins with `AND`, its parameters with `$9`.
macro_rules! page {
    ($db:expr, $which:expr, $range:expr, $conditions:tt $(, $value:expr)* $(,)?) => {
        match $which.order {
            Order::Ascending => page!($db, $which, $range, ">" $conditions "ASC" $(, $value)*),
            Order::Descending => page!($db, $which, $range, "<" $conditions "DESC" $(, $value)*),
        }
    };
    ($db:expr, $which:expr, $range:expr, $after:tt $conditions:tt $order:tt $(, $value:expr)*) => {{
        let (at, id) = begin($which, $range);
        select_bookings!(
            [r#"WHERE (lower(b.during), b.id) "# + $after + r#" ($1, $2)
                  AND lower(b.during) >= $3 AND lower(b.during) < $4
                  AND b.status = ANY($5) AND ($6::uuid IS NULL OR b.staff_id = $6)
                  AND ($7::timestamptz IS NULL OR b.updated_at >= $7) "# + $conditions + r#"
                ORDER BY lower(b.during) "# + $order + ", b.id " + $order + " LIMIT $8"],
            at,
            id,
            $range.from,
            $range.to,
            &statuses($which) as &[BookingStatus],
            $which.staff_id,
            $which.updated_since,
            rows_wanted($which)
            $(, $value)*
        )
        .fetch_all($db)
        .await?
    }};
}

async fn all(db: &mut PgConnection, which: &ListBookings, range: Range) -> Result<Vec<Row>> {
    let country = if which.search.trim().is_empty() {
        None
    } else {
        let country = sqlx::query_scalar!(r#"SELECT country AS "country: Country" FROM settings"#);
        country.fetch_optional(&mut *db).await?.flatten()
    };
    let words = SearchWords::of(&which.search, country);
    Ok(page!(
        db,
        which,
        range,
        r#"AND ($9::uuid IS NULL OR b.customer_id = $9)
           AND has_words(concat_ws(' ', c.name, b.contact_name, b.for_whom, c.email, c.phone, b.contact_phone),
                         concat_ws(';', c.phone, b.contact_phone), $10, $11, $12)"#,
        which.customer_id,
        &words.words,
        &words.digits,
        &words.number,
    ))
}

async fn own(db: &mut PgConnection, actor: &Actor, which: &ListBookings, range: Range) -> Result<Vec<Row>> {
    Ok(page!(
        db,
        which,
        range,
        "AND b.customer_id = ANY(ARRAY(SELECT customers.id FROM customers WHERE customers.user_id = $9))",
        actor.user_id(),
    ))
}
