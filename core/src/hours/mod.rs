//! Opening hours: weekly hours, overrides of single dates, closures of the business and time off.
//!
//! Each change locks the affected calendars, so no concurrent booking is checked against the old hours. It returns the
//! bookings that no longer fit; these are not changed.

mod closures;
mod opening;
mod overrides;
mod public_holidays;
mod stranded;
mod time_off;
mod week;

pub use closures::{Closure, MAX_CLOSURES, close, close_all, closures, reopen, reopen_all};
pub use opening::{OpenDay, opening};
pub use overrides::{DateOverride, MAX_WINDOWS_OF_DATE, overrides, put_override, remove_override};
pub use public_holidays::{HOLIDAY_COUNTRIES, HolidayCountry, PublicHoliday, public_holidays};
pub use stranded::{Changed, StrandedBooking, StrandedReason, list_stranded};
pub use time_off::{NewTimeOff, TimeOff, add_time_off, remove_time_off, time_off};
pub use week::{
    LaterWeek, MAX_LATER_WEEKS, MAX_WINDOWS_OF_WEEK, Week, put_week, put_week_from, remove_week_from, week,
};

pub(crate) use stranded::{Fitting, stranded_reasons};
pub(crate) use time_off::time_off_of;

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::calendar::{Span, after_date, dates_needed, day_start};
use crate::staff::lock;
use crate::types::Zone;
use crate::{Error, Result};

/// The business's zone.
pub(crate) async fn zone(db: &mut PgConnection) -> Result<Zone> {
    let name = sqlx::query_scalar!("SELECT zone FROM settings")
        .fetch_optional(db)
        .await?
        .ok_or(Error::NotFound("business"))?;
    Zone::parse(&name).map_err(|error| Error::internal("settings hold a bad value", error))
}

/// Increments the business's calendar revision. The row lock also serialises changes of several calendars before they
/// lock any staff row. Lock order: settings → staff → the rest.
pub(crate) async fn bump_business(tx: &mut PgConnection) -> Result<()> {
    if bump_shown(tx).await? { Ok(()) } else { Err(Error::NotFound("business")) }
}

/// [`bump_business`] for a change that pages show and that is possible before the business is set up. Returns whether it is
/// set up.
pub(crate) async fn bump_shown(tx: &mut PgConnection) -> Result<bool> {
    let bumped = sqlx::query!("UPDATE settings SET calendar_rev = calendar_rev + 1")
        .execute(&mut *tx)
        .await?
        .rows_affected();
    Ok(bumped == 1)
}

/// Locks the business's revision, then every calendar.
pub(crate) async fn lock_all(tx: &mut PgConnection) -> Result<Vec<Uuid>> {
    bump_business(tx).await?;
    let staff_ids: Vec<Uuid> =
        sqlx::query_scalar!("SELECT id FROM staff ORDER BY id").fetch_all(&mut *tx).await?;
    lock(tx, &staff_ids).await?;
    Ok(staff_ids)
}

/// The span in which the hours of these dates can affect appointments, rounded up.
fn touched(zone: Zone, first: NaiveDate, last: NaiveDate) -> Option<Span> {
    let (first, last) = dates_needed(first, last);
    Span::new(day_start(zone, first), day_start(zone, after_date(last)))
}
