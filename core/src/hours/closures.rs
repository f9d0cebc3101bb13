//! Dates on which the whole business is closed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::stranded::{Changed, Fitting};
use super::{lock_all, touched, zone};
use crate::transaction::change;
use crate::types::Reason;
use crate::{Core, Error, Result};

/// A date on which the whole business is closed. It takes precedence over overrides and weekly hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The date, in the business's zone.
    pub date: NaiveDate,
    /// Reason, shown to staff.
    pub reason: Reason,
}

/// The closures on the dates `from` to `to`, by date.
pub async fn closures(core: &Core, from: NaiveDate, to: NaiveDate) -> Result<Vec<Closure>> {
    let rows = sqlx::query!(
        "SELECT date, reason FROM closures WHERE date BETWEEN $1 AND $2 ORDER BY date",
        from,
        to
    )
    .fetch_all(&core.pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reason = Reason::parse(&row.reason)
                .map_err(|error| Error::internal("closures hold a bad value", error))?;
            Ok(Closure { date: row.date, reason })
        })
        .collect()
}

/// Closes the business on a date. If it is closed already, the reason is replaced.
pub async fn close(core: &Core, closure: Closure) -> Result<Changed<Closure>> {
    change(core, closure, |closure, tx, now| Box::pin(put(tx, now, closure))).await
}

async fn put(tx: &mut PgConnection, now: DateTime<Utc>, closure: &Closure) -> Result<Changed<Closure>> {
    let staff_ids = lock_all(tx).await?;
    let within = touched(zone(tx).await?, closure.date);
    let fitting = Fitting::before(tx, now, &staff_ids, within).await?;
    sqlx::query!(
        "INSERT INTO closures (date, reason) VALUES ($1, $2) ON CONFLICT (date) DO UPDATE SET reason = $2",
        closure.date,
        closure.reason.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    Ok(Changed { value: closure.clone(), stranded: fitting.stranded(tx).await? })
}

/// Removes the closure of a date. No booking can be affected.
///
/// # Errors
/// [`Error::NotFound`] when the date is not closed.
pub async fn reopen(core: &Core, date: NaiveDate) -> Result<()> {
    change(core, date, |date, tx, _| Box::pin(remove(tx, *date))).await
}

async fn remove(tx: &mut PgConnection, date: NaiveDate) -> Result<()> {
    lock_all(tx).await?;
    let deleted = sqlx::query!("DELETE FROM closures WHERE date = $1", date).execute(&mut *tx).await?;
    if deleted.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("closure")) }
}
