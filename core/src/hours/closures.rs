//! Dates on which the whole business is closed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgTransaction};
use uuid::Uuid;

use super::stranded::{Changed, Fitting};
use super::{bump_business, touched, zone};
use crate::staff::lock;
use crate::types::Reason;
use crate::{Error, Result};

/// A date on which the whole business is closed, whatever overrides and weekly hours say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The date, in the business's zone.
    pub date: NaiveDate,
    /// Why, for staff.
    pub reason: Reason,
}

/// The closures on the dates `from` to `to`, by date.
pub async fn closures(db: &mut PgConnection, from: NaiveDate, to: NaiveDate) -> Result<Vec<Closure>> {
    let rows = sqlx::query!(
        "SELECT date, reason FROM closures WHERE date BETWEEN $1 AND $2 ORDER BY date",
        from,
        to
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reason = Reason::parse(&row.reason)
                .map_err(|error| Error::internal("closures hold a bad value", error))?;
            Ok(Closure { date: row.date, reason })
        })
        .collect()
}

/// Closes the business on a date; on one that is closed already, the reason is replaced.
pub async fn close(
    tx: &mut PgTransaction<'_>,
    now: DateTime<Utc>,
    closure: &Closure,
) -> Result<Changed<Closure>> {
    let fitting = lock_all(tx, now, closure.date).await?;
    sqlx::query!(
        "INSERT INTO closures (date, reason) VALUES ($1, $2) ON CONFLICT (date) DO UPDATE SET reason = $2",
        closure.date,
        closure.reason.as_str(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(Changed { value: closure.clone(), stranded: fitting.stranded(tx).await? })
}

/// Opens the business again on a date. Bookings of the night before that reach into it may fit again; those that only
/// stood because the date was closed to others cannot exist.
///
/// # Errors
/// [`Error::NotFound`] when the date is not closed.
pub async fn reopen(tx: &mut PgTransaction<'_>, now: DateTime<Utc>, date: NaiveDate) -> Result<Changed<()>> {
    let fitting = lock_all(tx, now, date).await?;
    let deleted = sqlx::query!("DELETE FROM closures WHERE date = $1", date).execute(&mut **tx).await?;
    if deleted.rows_affected() != 1 {
        return Err(Error::NotFound("closure"));
    }
    Ok(Changed { value: (), stranded: fitting.stranded(tx).await? })
}

/// Locks every calendar, the business's revision first.
async fn lock_all(tx: &mut PgTransaction<'_>, now: DateTime<Utc>, date: NaiveDate) -> Result<Fitting> {
    bump_business(tx).await?;
    let staff_ids: Vec<Uuid> =
        sqlx::query_scalar!("SELECT id FROM staff ORDER BY id").fetch_all(&mut **tx).await?;
    lock(tx, &staff_ids).await?;
    let within = touched(zone(tx).await?, date);
    Fitting::before(tx, now, &staff_ids, within).await
}
