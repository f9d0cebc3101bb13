//! Overrides: hours of single dates.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stranded::{Changed, Fitting};
use super::{touched, zone};
use crate::calendar::{DayWindow, overlap_of_day};
use crate::slots::{minutes_to_store, stored_window};
use crate::staff::lock_own;
use crate::transaction::change;
use crate::types::{Actor, ParseError};
use crate::{Core, Error, Result};

/// Most windows of one date.
pub const MAX_WINDOWS_OF_DATE: usize = 12;

/// The hours of one date instead of the weekly hours. A window of the day before does not reach into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateOverride {
    /// The date, in the business's zone.
    pub date: NaiveDate,
    /// Windows by opening time; empty: closed.
    pub windows: Vec<DayWindow>,
}

/// The overrides of a member of staff on the dates `from` to `to`, by date.
pub async fn overrides(
    core: &Core,
    staff_id: Uuid,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<DateOverride>> {
    let rows = sqlx::query!(
        "SELECT date, start_min, end_min FROM date_overrides
         WHERE staff_id = $1 AND date BETWEEN $2 AND $3 ORDER BY date, start_min",
        staff_id,
        from,
        to,
    )
    .fetch_all(&core.pool)
    .await?;
    let mut by_date: BTreeMap<NaiveDate, Vec<DayWindow>> = BTreeMap::new();
    for row in rows {
        let window =
            row.start_min.zip(row.end_min).map(|(opens, closes)| stored_window(opens, closes)).transpose()?;
        by_date.entry(row.date).or_default().extend(window);
    }
    Ok(by_date.into_iter().map(|(date, windows)| DateOverride { date, windows }).collect())
}

/// Sets the hours of a date; none: closed. Administrators may for anyone, staff for themselves.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::WindowsOverlap`], [`Error::Invalid`] for too many windows.
pub async fn put_override(
    core: &Core,
    actor: &Actor,
    staff_id: Uuid,
    own: DateOverride,
) -> Result<Changed<DateOverride>> {
    if own.windows.len() > MAX_WINDOWS_OF_DATE {
        return Err(Error::Invalid {
            pointer: "/windows",
            error: ParseError::new("too_many", "a date has at most 12 windows"),
        });
    }
    if let Some(overlap) = overlap_of_day(&own.windows) {
        return Err(Error::WindowsOverlap { first: overlap.first, second: overlap.second });
    }
    change(core, (*actor, staff_id, own), |(actor, staff_id, own), tx, now| {
        Box::pin(replace(tx, now, actor, *staff_id, own))
    })
    .await
}

async fn replace(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    staff_id: Uuid,
    own: &DateOverride,
) -> Result<Changed<DateOverride>> {
    lock_own(tx, actor, staff_id).await?;
    let within = touched(zone(tx).await?, own.date, own.date);
    let fitting = Fitting::before(tx, now, &[staff_id], within).await?;
    delete(tx, staff_id, own.date).await?;
    let mut windows = own.windows.clone();
    windows.sort_unstable();
    let (mut opens, mut closes): (Vec<Option<i16>>, Vec<Option<i16>>) = windows
        .iter()
        .map(|window| minutes_to_store(*window))
        .map(|(opens, closes)| (Some(opens), Some(closes)))
        .unzip();
    if windows.is_empty() {
        opens.push(None);
        closes.push(None);
    }
    let ids: Vec<Uuid> = opens.iter().map(|_| new_id(now)).collect();
    sqlx::query!(
        "INSERT INTO date_overrides (id, staff_id, date, start_min, end_min)
         SELECT id, $1, $2, start_min, end_min
         FROM unnest($3::uuid[], $4::smallint[], $5::smallint[]) AS hours (id, start_min, end_min)",
        staff_id,
        own.date,
        &ids,
        &opens as &[Option<i16>],
        &closes as &[Option<i16>],
    )
    .execute(&mut *tx)
    .await?;
    let stranded = fitting.stranded(tx).await?;
    Ok(Changed { value: DateOverride { date: own.date, windows }, stranded })
}

/// Removes the override of a date. Administrators may for anyone, staff for themselves.
///
/// # Errors
/// [`Error::NotFound`] when the date has no override; [`Error::Forbidden`].
pub async fn remove_override(
    core: &Core,
    actor: &Actor,
    staff_id: Uuid,
    date: NaiveDate,
) -> Result<Changed<()>> {
    change(core, (*actor, staff_id, date), |(actor, staff_id, date), tx, now| {
        Box::pin(remove(tx, now, actor, *staff_id, *date))
    })
    .await
}

async fn remove(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    staff_id: Uuid,
    date: NaiveDate,
) -> Result<Changed<()>> {
    lock_own(tx, actor, staff_id).await?;
    let within = touched(zone(tx).await?, date, date);
    let fitting = Fitting::before(tx, now, &[staff_id], within).await?;
    if delete(tx, staff_id, date).await? == 0 {
        return Err(Error::NotFound("override"));
    }
    Ok(Changed { value: (), stranded: fitting.stranded(tx).await? })
}

async fn delete(tx: &mut PgConnection, staff_id: Uuid, date: NaiveDate) -> Result<u64> {
    let deleted =
        sqlx::query!("DELETE FROM date_overrides WHERE staff_id = $1 AND date = $2", staff_id, date)
            .execute(&mut *tx)
            .await?;
    Ok(deleted.rows_affected())
}
