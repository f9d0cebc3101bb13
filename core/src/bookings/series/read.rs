//! Reading a series.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Series;
use crate::bookings::row::{Row, select_bookings};
use crate::calendar::Every;
use crate::pool::again_if_cut;
use crate::types::{Actor, Rev};
use crate::{Core, Error, Result};

/// A series with its bookings; customers see their own.
///
/// # Errors
/// [`Error::NotFound`], also when none of its bookings is the actor's to see.
pub async fn get_series(core: &Core, actor: &Actor, id: Uuid) -> Result<Series> {
    again_if_cut(|| async { load(&mut *core.pool.acquire().await?, actor, id).await }).await
}

/// [`get_series`] within a transaction.
pub(super) async fn load(db: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<Series> {
    let series = sqlx::query!(
        r#"SELECT every_n, every_unit AS "every_unit: StoredUnit", wanted, created_at FROM series WHERE id = $1"#,
        id,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("series"))?;
    let rows: Vec<Row> =
        select_bookings!("WHERE b.series_id = $1 ORDER BY b.series_no", id).fetch_all(db).await?;
    let rev = rev_of(&rows);
    let visible = rows.into_iter().filter(|row| row.is_visible_to(actor));
    let bookings: Vec<_> = visible.map(|row| row.seen_by(actor)).collect();
    if bookings.is_empty() {
        return Err(Error::NotFound("series"));
    }
    let n = series.every_n.unsigned_abs();
    Ok(Series {
        id,
        every: match series.every_unit {
            StoredUnit::Days => Every::Days(n),
            StoredUnit::Weeks => Every::Weeks(n),
            StoredUnit::Months => Every::Months(n),
        },
        count: series.wanted,
        rev,
        created_at: series.created_at,
        bookings,
    })
}

/// The revision of a series: every change of one of its bookings raises it.
pub(super) fn rev_of(rows: &[Row]) -> Rev {
    Rev(rows.iter().map(|row| row.booking.rev.0).sum())
}

/// The unit of an interval as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "series_unit", rename_all = "snake_case")]
pub(super) enum StoredUnit {
    Days,
    Weeks,
    Months,
}

impl StoredUnit {
    /// Unit and number of an interval.
    pub(super) fn of(every: Every) -> (Self, i16) {
        let (unit, n) = match every {
            Every::Days(n) => (Self::Days, n),
            Every::Weeks(n) => (Self::Weeks, n),
            Every::Months(n) => (Self::Months, n),
        };
        (unit, i16::try_from(n).unwrap_or(i16::MAX))
    }
}
