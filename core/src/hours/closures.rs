//! Dates on which the whole business is closed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::stranded::{Changed, Fitting};
use super::{lock_all, touched, zone};
use crate::calendar::CivilTime;
use crate::slots::stored_time;
use crate::transaction::change;
use crate::types::{ParseError, Reason};
use crate::{Core, Error, Result};

/// Most closures of one request.
pub const MAX_CLOSURES: usize = 400;

/// A date on which the whole business is closed, all day or for a part of it. It takes precedence over overrides and weekly
/// hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The date, in the business's zone.
    pub date: NaiveDate,
    /// From when to when it is closed, `00:00` to `24:00` of that day; none: all day.
    pub hours: Option<(CivilTime, CivilTime)>,
    /// Reason, shown to staff.
    pub reason: Reason,
}

impl Closure {
    /// All day.
    #[must_use]
    pub const fn of_day(date: NaiveDate, reason: Reason) -> Self {
        Self { date, hours: None, reason }
    }
}

/// The closures on the dates `from` to `to`, by date.
pub async fn closures(core: &Core, from: NaiveDate, to: NaiveDate) -> Result<Vec<Closure>> {
    let rows = sqlx::query!(
        "SELECT date, start_min, end_min, reason FROM closures WHERE date BETWEEN $1 AND $2 ORDER BY date",
        from,
        to
    )
    .fetch_all(&core.pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reason = Reason::parse(&row.reason)
                .map_err(|error| Error::internal("closures hold a bad value", error))?;
            let hours = match row.start_min.zip(row.end_min) {
                Some((from, to)) => Some((stored_time(from)?, stored_time(to)?)),
                None => None,
            };
            Ok(Closure { date: row.date, hours, reason })
        })
        .collect()
}

/// Closes the business on a date. If it is closed already, hours and reason are replaced.
///
/// # Errors
/// As [`close_all`].
pub async fn close(core: &Core, closure: Closure) -> Result<Changed<Closure>> {
    let changed = close_all(core, vec![closure.clone()]).await?;
    Ok(Changed { value: closure, stranded: changed.stranded })
}

/// Closes the business on each of these dates, all or none. Where it is closed already, hours and reason are replaced.
///
/// # Errors
/// [`Error::NotFound`] before the business is set up; [`Error::Invalid`] for more than [`MAX_CLOSURES`], and for hours that
/// end before they begin.
pub async fn close_all(core: &Core, closures: Vec<Closure>) -> Result<Changed<Vec<Closure>>> {
    if closures.len() > MAX_CLOSURES {
        return Err(invalid("/to", "too_many", "at most 400 dates can be closed at once"));
    }
    if closures.iter().filter_map(|closure| closure.hours).any(|(from, to)| from >= to) {
        return Err(invalid("/end", "out_of_range", "the hours end after they begin, on the same day"));
    }
    change(core, closures, |closures, tx, now| Box::pin(put(tx, now, closures))).await
}

async fn put(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    closures: &[Closure],
) -> Result<Changed<Vec<Closure>>> {
    let staff_ids = lock_all(tx).await?;
    let dates = closures.iter().map(|closure| closure.date);
    let within = match dates.clone().min().zip(dates.max()) {
        Some((first, last)) => touched(zone(tx).await?, first, last),
        None => None,
    };
    let fitting = Fitting::before(tx, now, &staff_ids, within).await?;
    for closure in closures {
        let minutes = |time: CivilTime| time.minutes().cast_signed();
        sqlx::query!(
            "INSERT INTO closures (date, start_min, end_min, reason) VALUES ($1, $2, $3, $4)
             ON CONFLICT (date) DO UPDATE SET start_min = $2, end_min = $3, reason = $4",
            closure.date,
            closure.hours.map(|(from, _)| minutes(from)),
            closure.hours.map(|(_, to)| minutes(to)),
            closure.reason.as_str(),
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(Changed { value: closures.to_vec(), stranded: fitting.stranded(tx).await? })
}

/// Removes the closure of a date. No booking can be affected.
///
/// # Errors
/// [`Error::NotFound`] when the date is not closed.
pub async fn reopen(core: &Core, date: NaiveDate) -> Result<()> {
    change(core, date, |date, tx, _| {
        Box::pin(async move {
            let removed = remove(tx, *date, *date).await?;
            if removed == 1 { Ok(()) } else { Err(Error::NotFound("closure")) }
        })
    })
    .await
}

/// Removes the closures on the dates `from` to `to`; returns how many there were.
pub async fn reopen_all(core: &Core, from: NaiveDate, to: NaiveDate) -> Result<u64> {
    change(core, (from, to), |(from, to), tx, _| Box::pin(remove(tx, *from, *to))).await
}

async fn remove(tx: &mut PgConnection, from: NaiveDate, to: NaiveDate) -> Result<u64> {
    lock_all(tx).await?;
    let deleted =
        sqlx::query!("DELETE FROM closures WHERE date BETWEEN $1 AND $2", from, to).execute(&mut *tx).await?;
    Ok(deleted.rows_affected())
}

fn invalid(pointer: &'static str, code: &'static str, message: &'static str) -> Error {
    Error::Invalid { pointer, error: ParseError::new(code, message) }
}
