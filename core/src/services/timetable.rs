//! The timetable of a service: weekly starts with a member of staff, and single starts that differ from them.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc, Weekday};
use sqlx::PgConnection;
use uuid::Uuid;

use super::read::find;
use super::write::lock_concerned;
use crate::calendar::CivilTime;
use crate::hours::{Changed, Fitting, bump_business};
use crate::pool::again_if_cut;
use crate::slots::{iso_number, iso_weekday, stored_time};
use crate::transaction::change;
use crate::types::{ExpectedRev, ParseError, Rev};
use crate::{Core, Error, Result, settings};

/// Most weekly starts of a service.
pub const MAX_CLASS_WINDOWS: usize = 100;
/// Most single future starts of a service.
pub const MAX_CLASS_DATES: usize = 400;

/// When a service takes place. With weekly starts it is offered at these alone, and no other service is offered then with
/// the same member of staff, booked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTimetable {
    /// The weekly starts.
    pub windows: Vec<ClassWindow>,
    /// Single future starts that differ from the weekly ones: cancelled, or additional.
    pub dates: Vec<SingleClass>,
    /// Version of the service, for If-Match.
    pub rev: Rev,
}

/// A weekly start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassWindow {
    /// Who performs it.
    pub staff_id: Uuid,
    /// The day on which it starts.
    pub weekday: Weekday,
    /// Its start, before `24:00`.
    pub start: CivilTime,
    /// First date on which it takes place.
    pub valid_from: NaiveDate,
    /// Last date, included; none: without end.
    pub valid_until: Option<NaiveDate>,
}

/// A single start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleClass {
    /// Who performs it.
    pub staff_id: Uuid,
    /// Its start.
    pub start: DateTime<FixedOffset>,
    /// Whether it takes place; false: it was called off.
    pub takes_place: bool,
}

/// The timetable of a service; empty: it is offered on the grid of open hours.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn timetable(core: &Core, service_id: Uuid) -> Result<ServiceTimetable> {
    again_if_cut(|| async { read(&mut *core.pool.acquire().await?, core.now(), service_id).await }).await
}

async fn read(db: &mut PgConnection, now: DateTime<Utc>, service_id: Uuid) -> Result<ServiceTimetable> {
    let rev = find(db, service_id).await?.rev;
    let zone = settings::get(&mut *db).await?.zone;
    let windows = sqlx::query!(
        "SELECT staff_id, weekday, start_min, valid_from, valid_until FROM class_windows
         WHERE service_id = $1 ORDER BY weekday, start_min, staff_id, valid_from",
        service_id,
    )
    .fetch_all(&mut *db)
    .await?;
    let dates = sqlx::query!(
        "SELECT staff_id, start_at, takes_place FROM class_dates
         WHERE service_id = $1 AND start_at >= $2 ORDER BY start_at, staff_id",
        service_id,
        now,
    )
    .fetch_all(&mut *db)
    .await?;
    let windows = windows.into_iter().map(|row| {
        Ok(ClassWindow {
            staff_id: row.staff_id,
            weekday: iso_weekday(row.weekday)?,
            start: stored_time(row.start_min)?,
            valid_from: row.valid_from,
            valid_until: row.valid_until,
        })
    });
    let dates = dates.into_iter().map(|row| SingleClass {
        staff_id: row.staff_id,
        start: zone.at(row.start_at),
        takes_place: row.takes_place,
    });
    Ok(ServiceTimetable { windows: windows.collect::<Result<_>>()?, dates: dates.collect(), rev })
}

/// Replaces the timetable of a service, the single starts that have passed excepted. Returned are the bookings that no longer
/// fit: those of the service at other starts, and those of other services while a class is planned. They are not changed.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`]; [`Error::Invalid`] for too many starts, a start twice, one with somebody who
/// does not perform the service, one at `24:00`, one that ends before it begins, and for single starts that have passed.
pub async fn put_timetable(
    core: &Core,
    service_id: Uuid,
    expected: ExpectedRev,
    windows: Vec<ClassWindow>,
    dates: Vec<SingleClass>,
) -> Result<Changed<ServiceTimetable>> {
    check(&windows, &dates)?;
    let new = NewTimetable { service_id, expected, windows, dates };
    change(core, new, |new, tx, now| Box::pin(replace(tx, now, new))).await
}

struct NewTimetable {
    service_id: Uuid,
    expected: ExpectedRev,
    windows: Vec<ClassWindow>,
    dates: Vec<SingleClass>,
}

fn check(windows: &[ClassWindow], dates: &[SingleClass]) -> Result<()> {
    if windows.len() > MAX_CLASS_WINDOWS {
        return Err(invalid("/windows", "too_many", "a service has at most 100 weekly starts"));
    }
    if dates.len() > MAX_CLASS_DATES {
        return Err(invalid("/dates", "too_many", "a service has at most 400 single starts"));
    }
    if windows.iter().any(|window| window.start >= CivilTime::END_OF_DAY) {
        return Err(invalid("/windows", "out_of_range", "a class starts between 00:00 and 23:59"));
    }
    if windows.iter().any(|window| window.valid_until.is_some_and(|last| last < window.valid_from)) {
        return Err(invalid("/windows", "range_reversed", "valid_until is before valid_from"));
    }
    let key = |window: &ClassWindow| (window.staff_id, window.weekday, window.start, window.valid_from);
    if (1..windows.len()).any(|at| windows[..at].iter().any(|other| key(other) == key(&windows[at]))) {
        return Err(invalid("/windows", "duplicate", "the same weekly start twice"));
    }
    let key = |date: &SingleClass| (date.staff_id, date.start.to_utc());
    if (1..dates.len()).any(|at| dates[..at].iter().any(|other| key(other) == key(&dates[at]))) {
        return Err(invalid("/dates", "duplicate", "the same single start twice"));
    }
    if dates.iter().any(|date| date.start.timestamp() % 60 != 0 || date.start.timestamp_subsec_nanos() != 0) {
        return Err(invalid("/dates", "out_of_range", "a class starts at a whole minute"));
    }
    Ok(())
}

async fn replace(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    new: &NewTimetable,
) -> Result<Changed<ServiceTimetable>> {
    let NewTimetable { service_id, expected, windows, dates } = new;
    let service_id = *service_id;
    bump_business(tx).await?;
    let service = find(tx, service_id).await?;
    let performs = |staff_id: Uuid| service.spec.staff_ids.contains(&staff_id);
    if !windows.iter().all(|window| performs(window.staff_id)) {
        let message = "a class is with somebody who performs the service";
        return Err(invalid("/windows", "not_performed", message));
    }
    if !dates.iter().all(|date| performs(date.staff_id)) {
        return Err(invalid("/dates", "not_performed", "a class is with somebody who performs the service"));
    }
    if dates.iter().any(|date| date.start < now) {
        return Err(invalid("/dates", "out_of_range", "a single start is in the past"));
    }
    // Those who performed it when a start was set may do so no longer: then it has no effect.
    let concerned: Vec<Uuid> = service.spec.staff_ids.clone();
    lock_concerned(tx, &concerned, &concerned).await?;
    let current = find(tx, service_id).await?.rev;
    if !expected.matches(current) {
        return Err(Error::RevMismatch { current });
    }
    let fitting = Fitting::before(tx, now, &concerned, None).await?;
    store(tx, now, new).await?;
    Ok(Changed { value: read(tx, now, service_id).await?, stranded: fitting.stranded(tx).await? })
}

async fn store(tx: &mut PgConnection, now: DateTime<Utc>, new: &NewTimetable) -> Result<()> {
    let NewTimetable { service_id, windows, dates, .. } = new;
    sqlx::query!("DELETE FROM class_windows WHERE service_id = $1", service_id).execute(&mut *tx).await?;
    let staff: Vec<Uuid> = windows.iter().map(|window| window.staff_id).collect();
    let weekdays: Vec<i16> = windows.iter().map(|window| iso_number(window.weekday)).collect();
    let starts: Vec<i16> = windows.iter().map(|window| window.start.minutes().cast_signed()).collect();
    let from: Vec<NaiveDate> = windows.iter().map(|window| window.valid_from).collect();
    let until: Vec<Option<NaiveDate>> = windows.iter().map(|window| window.valid_until).collect();
    sqlx::query!(
        "INSERT INTO class_windows (service_id, staff_id, weekday, start_min, valid_from, valid_until)
         SELECT $1, * FROM unnest($2::uuid[], $3::smallint[], $4::smallint[], $5::date[], $6::date[])",
        service_id,
        &staff,
        &weekdays,
        &starts,
        &from,
        &until as &[Option<NaiveDate>],
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("DELETE FROM class_dates WHERE service_id = $1 AND start_at >= $2", service_id, now)
        .execute(&mut *tx)
        .await?;
    for date in dates {
        put_date(tx, *service_id, date.staff_id, date.start.to_utc(), date.takes_place).await?;
    }
    count_up(tx, now, *service_id).await
}

/// Stores a single start.
pub(crate) async fn put_date(
    tx: &mut PgConnection,
    service_id: Uuid,
    staff_id: Uuid,
    start: DateTime<Utc>,
    takes_place: bool,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO class_dates (service_id, staff_id, start_at, takes_place) VALUES ($1, $2, $3, $4)
         ON CONFLICT (staff_id, service_id, start_at) DO UPDATE SET takes_place = $4",
        service_id,
        staff_id,
        start,
        takes_place,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes a revision of the service, whose timetable changed.
pub(crate) async fn count_up(tx: &mut PgConnection, now: DateTime<Utc>, service_id: Uuid) -> Result<()> {
    let changed =
        sqlx::query!("UPDATE services SET rev = rev + 1, updated_at = $2 WHERE id = $1", service_id, now)
            .execute(tx)
            .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("service")) }
}

fn invalid(pointer: &'static str, code: &'static str, message: &'static str) -> Error {
    Error::Invalid { pointer, error: ParseError::new(code, message) }
}
