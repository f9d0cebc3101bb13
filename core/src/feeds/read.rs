//! What calendars show of bookings.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::bookings::{self, BookingStatus};
use crate::settings::{self, Business};
use crate::types::{Actor, Rev};
use crate::{Core, Error, Result};

/// How far back a feed shows appointments.
const PAST: TimeDelta = TimeDelta::days(31);

/// A booking as a calendar shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// UID, the same for the booking's life.
    pub uid: String,
    /// Revision: SEQUENCE.
    pub rev: Rev,
    /// Where it stands.
    pub status: BookingStatus,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// Name of the service.
    pub service_name: String,
    /// Who performs it.
    pub staff_name: String,
    /// Who comes; none once the person was erased.
    pub customer_name: Option<String>,
    /// Their phone number.
    pub customer_phone: Option<String>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// A calendar to subscribe to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The business.
    pub business: Business,
    /// Whose calendar it is.
    pub staff_name: String,
    /// Appointments of the last 31 days and all to come, by start; also those called off, so that calendars which
    /// merge see it.
    pub entries: Vec<CalendarEntry>,
}

/// The feed at an address of this epoch.
///
/// # Errors
/// [`Error::NotFound`] when the address was renewed or never made.
pub async fn of_staff(core: &Core, staff_id: Uuid, epoch: i32) -> Result<Feed> {
    let db = &mut *core.pool.acquire().await?;
    let staff_name = sqlx::query_scalar!(
        "SELECT name FROM staff WHERE id = $1 AND feed_epoch = $2 AND feed_epoch > 0",
        staff_id,
        epoch
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("feed"))?;
    let entries = sqlx::query_as!(
        CalendarEntry,
        r#"SELECT b.ics_uid AS uid, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", lower(b.during) AS "start!",
                  upper(b.during) AS "end!", b.service_name, staff.name AS staff_name,
                  nullif(c.name, '') AS customer_name, c.phone AS customer_phone, b.updated_at
           FROM bookings AS b JOIN staff ON staff.id = b.staff_id JOIN customers AS c ON c.id = b.customer_id
           WHERE b.staff_id = $1 AND lower(b.during) > $2
           ORDER BY lower(b.during), b.id"#,
        staff_id,
        core.now() - PAST,
    )
    .fetch_all(&mut *db)
    .await?;
    Ok(Feed { business: settings::get(db).await?, staff_name, entries })
}

/// The calendar entry of a booking that the actor may see.
///
/// # Errors
/// [`Error::NotFound`], also for a hold.
pub async fn entry(core: &Core, actor: &Actor, booking_id: Uuid) -> Result<(Business, CalendarEntry)> {
    bookings::get(core, actor, booking_id).await?;
    let db: &mut PgConnection = &mut *core.pool.acquire().await?;
    let entry = sqlx::query_as!(
        CalendarEntry,
        r#"SELECT b.ics_uid AS uid, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", lower(b.during) AS "start!",
                  upper(b.during) AS "end!", b.service_name, staff.name AS staff_name,
                  nullif(c.name, '') AS customer_name, c.phone AS customer_phone, b.updated_at
           FROM bookings AS b JOIN staff ON staff.id = b.staff_id JOIN customers AS c ON c.id = b.customer_id
           WHERE b.id = $1"#,
        booking_id,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("booking"))?;
    Ok((settings::get(db).await?, entry))
}
