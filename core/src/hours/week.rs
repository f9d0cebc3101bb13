//! Weekly hours.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::bump_shown;
use super::stranded::{Changed, Fitting};
use crate::calendar::{WeeklyWindow, overlap_of_week};
use crate::slots::{iso_number, iso_weekday, minutes_to_store, stored_window};
use crate::staff::lock_own;
use crate::transaction::change;
use crate::types::{Actor, ExpectedRev, ParseError, Rev};
use crate::{Core, Error, Result};

/// Most windows of a week.
pub const MAX_WINDOWS_OF_WEEK: usize = 84;

/// The weekly hours of a member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// By opening, from Monday on.
    pub windows: Vec<WeeklyWindow>,
    /// Version, for If-Match.
    pub rev: Rev,
}

/// The weekly hours of a member of staff.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn week(core: &Core, staff_id: Uuid) -> Result<Week> {
    find(&mut *core.pool.acquire().await?, staff_id).await
}

async fn find(db: &mut PgConnection, staff_id: Uuid) -> Result<Week> {
    let rows = sqlx::query!(
        r#"SELECT hours_rev AS "rev: Rev", weekday AS "weekday?", start_min AS "start_min?", end_min AS "end_min?"
           FROM staff LEFT JOIN weekly_hours ON weekly_hours.staff_id = staff.id
           WHERE staff.id = $1 ORDER BY weekday, start_min"#,
        staff_id,
    )
    .fetch_all(db)
    .await?;
    let rev = rows.first().map(|row| row.rev).ok_or(Error::NotFound("staff"))?;
    let windows = rows
        .into_iter()
        .filter_map(|row| Some((row.weekday?, row.start_min?, row.end_min?)))
        .map(|(weekday, opens, closes)| {
            Ok(WeeklyWindow { weekday: iso_weekday(weekday)?, window: stored_window(opens, closes)? })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Week { windows, rev })
}

/// Replaces the weekly hours of a member of staff. Administrators may for anyone, staff for themselves.
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
    if windows.len() > MAX_WINDOWS_OF_WEEK {
        return Err(Error::Invalid {
            pointer: "/windows",
            error: ParseError::new("too_many", "a week has at most 84 windows"),
        });
    }
    if let Some(overlap) = overlap_of_week(&windows) {
        return Err(Error::WindowsOverlap { first: overlap.first, second: overlap.second });
    }
    change(core, (*actor, staff_id, expected, windows), |(actor, staff_id, expected, windows), tx, now| {
        Box::pin(replace(tx, now, actor, *staff_id, *expected, windows))
    })
    .await
}

async fn replace(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    staff_id: Uuid,
    expected: ExpectedRev,
    windows: &[WeeklyWindow],
) -> Result<Changed<Week>> {
    bump_shown(tx).await?;
    lock_own(tx, actor, staff_id).await?;
    let current = sqlx::query_scalar!(
        r#"UPDATE staff SET hours_rev = hours_rev + 1 WHERE id = $1 RETURNING hours_rev - 1 AS "rev!: Rev""#,
        staff_id,
    )
    .fetch_one(&mut *tx)
    .await?;
    if !expected.matches(current) {
        return Err(Error::RevMismatch { current });
    }
    let fitting = Fitting::before(tx, now, &[staff_id], None).await?;
    sqlx::query!("DELETE FROM weekly_hours WHERE staff_id = $1", staff_id).execute(&mut *tx).await?;
    let weekdays: Vec<i16> = windows.iter().map(|weekly| iso_number(weekly.weekday)).collect();
    let (opens, closes): (Vec<i16>, Vec<i16>) =
        windows.iter().map(|weekly| minutes_to_store(weekly.window)).unzip();
    sqlx::query!(
        "INSERT INTO weekly_hours (staff_id, weekday, start_min, end_min)
         SELECT $1, weekday, start_min, end_min
         FROM unnest($2::smallint[], $3::smallint[], $4::smallint[]) AS hours (weekday, start_min, end_min)",
        staff_id,
        &weekdays,
        &opens,
        &closes,
    )
    .execute(&mut *tx)
    .await?;
    Ok(Changed { value: find(tx, staff_id).await?, stranded: fitting.stranded(tx).await? })
}
