//! Weekly hours.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::stranded::{Changed, Fitting};
use super::{bump_shown, zone};
use crate::calendar::{WeeklyWindow, after_date, local_date, overlap_of_week};
use crate::slots::{iso_number, iso_weekday, minutes_to_store, stored_window};
use crate::staff::lock_own;
use crate::transaction::change;
use crate::types::{Actor, ExpectedRev, ParseError, Rev};
use crate::{Core, Error, Result};

/// Most windows of a week.
pub const MAX_WINDOWS_OF_WEEK: usize = 84;

/// Most future weeks.
pub const MAX_LATER_WEEKS: usize = 12;

/// The weekly hours of a member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// Those in force today, by opening, from Monday on.
    pub windows: Vec<WeeklyWindow>,
    /// Since when they apply; none: from the first day.
    pub valid_from: Option<NaiveDate>,
    /// Future weeks, by date.
    pub later: Vec<LaterWeek>,
    /// Version of all of them, for If-Match.
    pub rev: Rev,
}

/// Weekly hours that apply from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterWeek {
    /// First date, in the business's zone.
    pub valid_from: NaiveDate,
    /// By opening, from Monday on.
    pub windows: Vec<WeeklyWindow>,
}

/// The first week of everybody, which has no date.
const FIRST: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// The weekly hours of a member of staff.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn week(core: &Core, staff_id: Uuid) -> Result<Week> {
    find(&mut *core.pool.acquire().await?, core.now(), staff_id).await
}

/// Today in the business's zone; in UTC before the business is set up.
pub(super) async fn today(db: &mut PgConnection, now: DateTime<Utc>) -> Result<NaiveDate> {
    match zone(db).await {
        Ok(zone) => Ok(local_date(zone, now)),
        Err(Error::NotFound(_)) => Ok(now.date_naive()),
        Err(error) => Err(error),
    }
}

async fn find(db: &mut PgConnection, now: DateTime<Utc>, staff_id: Uuid) -> Result<Week> {
    let today = today(db, now).await?;
    let rows = sqlx::query!(
        r#"SELECT staff.hours_rev AS "rev: Rev", week.valid_from AS "valid_from!", weekday AS "weekday?",
                  start_min AS "start_min?", end_min AS "end_min?"
           FROM staff
           CROSS JOIN LATERAL (
               SELECT $2::date AS valid_from
               UNION ALL SELECT valid_from FROM later_weeks WHERE staff_id = staff.id) AS week
           LEFT JOIN weekly_hours AS h ON h.staff_id = staff.id AND h.valid_from = week.valid_from
           WHERE staff.id = $1 ORDER BY week.valid_from, weekday, start_min"#,
        staff_id,
        FIRST,
    )
    .fetch_all(db)
    .await?;
    let rev = rows.first().map(|row| row.rev).ok_or(Error::NotFound("staff"))?;
    let mut weeks: BTreeMap<NaiveDate, Vec<WeeklyWindow>> = BTreeMap::new();
    for row in rows {
        let week = weeks.entry(row.valid_from).or_default();
        if let (Some(weekday), Some(opens), Some(closes)) = (row.weekday, row.start_min, row.end_min) {
            week.push(WeeklyWindow { weekday: iso_weekday(weekday)?, window: stored_window(opens, closes)? });
        }
    }
    let later = weeks.split_off(&after_date(today));
    let (valid_from, windows) = weeks.pop_last().unwrap_or((FIRST, Vec::new()));
    Ok(Week {
        windows,
        valid_from: Some(valid_from).filter(|date| *date != FIRST),
        later: later.into_iter().map(|(valid_from, windows)| LaterWeek { valid_from, windows }).collect(),
        rev,
    })
}

/// Replaces the weekly hours of a member of staff that are in force today. Administrators may for anyone, staff for
/// themselves. Future weeks are kept.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::RevMismatch`], [`Error::WindowsOverlap`], [`Error::Invalid`] for too many windows.
pub async fn put_week(
    core: &Core,
    actor: &Actor,
    staff_id: Uuid,
    expected: ExpectedRev,
    windows: Vec<WeeklyWindow>,
) -> Result<Changed<Week>> {
    put(core, actor, staff_id, expected, None, Some(windows)).await
}

/// Sets the weekly hours of a member of staff from a date after today on, until the next week that has a date.
///
/// # Errors
/// As [`put_week`]; [`Error::Invalid`] for a date that is not after today, and for too many weeks.
pub async fn put_week_from(
    core: &Core,
    actor: &Actor,
    staff_id: Uuid,
    expected: ExpectedRev,
    valid_from: NaiveDate,
    windows: Vec<WeeklyWindow>,
) -> Result<Changed<Week>> {
    put(core, actor, staff_id, expected, Some(valid_from), Some(windows)).await
}

/// Removes the weekly hours that were to apply from that date on: those before it go on.
///
/// # Errors
/// As [`put_week_from`]; [`Error::NotFound`] when no week begins on that date.
pub async fn remove_week_from(
    core: &Core,
    actor: &Actor,
    staff_id: Uuid,
    expected: ExpectedRev,
    valid_from: NaiveDate,
) -> Result<Changed<Week>> {
    put(core, actor, staff_id, expected, Some(valid_from), None).await
}

async fn put(
    core: &Core,
    actor: &Actor,
    staff_id: Uuid,
    expected: ExpectedRev,
    valid_from: Option<NaiveDate>,
    windows: Option<Vec<WeeklyWindow>>,
) -> Result<Changed<Week>> {
    let checked = windows.as_deref().unwrap_or_default();
    if checked.len() > MAX_WINDOWS_OF_WEEK {
        return Err(invalid("/windows", "too_many", "a week has at most 84 windows"));
    }
    if let Some(overlap) = overlap_of_week(checked) {
        return Err(Error::WindowsOverlap { first: overlap.first, second: overlap.second });
    }
    let new = NewWeek { actor: *actor, staff_id, expected, valid_from, windows };
    change(core, new, |new, tx, now| Box::pin(replace(tx, now, new))).await
}

struct NewWeek {
    actor: Actor,
    staff_id: Uuid,
    expected: ExpectedRev,
    /// None: the week in force today.
    valid_from: Option<NaiveDate>,
    /// None: the week is removed.
    windows: Option<Vec<WeeklyWindow>>,
}

async fn replace(tx: &mut PgConnection, now: DateTime<Utc>, new: &NewWeek) -> Result<Changed<Week>> {
    let NewWeek { actor, staff_id, expected, valid_from, windows } = new;
    let staff_id = *staff_id;
    bump_shown(tx).await?;
    lock_own(tx, actor, staff_id).await?;
    let rev = sqlx::query_scalar!(
        r#"UPDATE staff SET hours_rev = hours_rev + 1 WHERE id = $1 RETURNING hours_rev - 1 AS "rev!: Rev""#,
        staff_id,
    )
    .fetch_one(&mut *tx)
    .await?;
    if !expected.matches(rev) {
        return Err(Error::RevMismatch { current: rev });
    }
    let current = find(tx, now, staff_id).await?;
    let date = match *valid_from {
        None => current.valid_from.unwrap_or(FIRST),
        Some(date) if date <= today(tx, now).await? => {
            let message = "must be after today: leave it out for the week that is in force";
            return Err(invalid("/valid_from", "out_of_range", message));
        }
        Some(date) => date,
    };
    let is_new = valid_from.is_some() && !current.later.iter().any(|week| week.valid_from == date);
    if is_new && windows.is_none() {
        return Err(Error::NotFound("week"));
    }
    if is_new && current.later.len() >= MAX_LATER_WEEKS {
        return Err(invalid("/valid_from", "too_many", "at most 12 weeks can be to come"));
    }
    let fitting = Fitting::before(tx, now, &[staff_id], None).await?;
    sqlx::query!("DELETE FROM weekly_hours WHERE staff_id = $1 AND valid_from = $2", staff_id, date)
        .execute(&mut *tx)
        .await?;
    match windows {
        Some(windows) => insert(tx, staff_id, date, windows).await?,
        None => {
            sqlx::query!("DELETE FROM later_weeks WHERE staff_id = $1 AND valid_from = $2", staff_id, date)
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(Changed { value: find(tx, now, staff_id).await?, stranded: fitting.stranded(tx).await? })
}

async fn insert(
    tx: &mut PgConnection,
    staff_id: Uuid,
    valid_from: NaiveDate,
    windows: &[WeeklyWindow],
) -> Result<()> {
    if valid_from != FIRST {
        sqlx::query!(
            "INSERT INTO later_weeks (staff_id, valid_from) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            staff_id,
            valid_from,
        )
        .execute(&mut *tx)
        .await?;
    }
    let weekdays: Vec<i16> = windows.iter().map(|weekly| iso_number(weekly.weekday)).collect();
    let (opens, closes): (Vec<i16>, Vec<i16>) =
        windows.iter().map(|weekly| minutes_to_store(weekly.window)).unzip();
    sqlx::query!(
        "INSERT INTO weekly_hours (staff_id, valid_from, weekday, start_min, end_min)
         SELECT $1, $2, weekday, start_min, end_min
         FROM unnest($3::smallint[], $4::smallint[], $5::smallint[]) AS hours (weekday, start_min, end_min)",
        staff_id,
        valid_from,
        &weekdays,
        &opens,
        &closes,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

fn invalid(pointer: &'static str, code: &'static str, message: &'static str) -> Error {
    Error::Invalid { pointer, error: ParseError::new(code, message) }
}
