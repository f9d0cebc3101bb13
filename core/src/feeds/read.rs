//! Bookings as calendar entries.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::bookings::{self, BookingStatus};
use crate::settings::{self, Business};
use crate::types::{Actor, Rev};
use crate::{Core, Error, Result};

/// Age of the oldest appointments in a feed, by start.
const PAST: TimeDelta = TimeDelta::days(31);

/// A booking as a calendar entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// UID, the same for the booking's life.
    pub uid: String,
    /// Revision: SEQUENCE.
    pub rev: Rev,
    /// Its status.
    pub status: BookingStatus,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// Name of the service.
    pub service_name: String,
    /// How many seats of a class it takes.
    pub seats: i32,
    /// The member of staff.
    pub staff_name: String,
    /// The customer; none after erasure.
    pub customer_name: Option<String>,
    /// Who comes in the customer's place; none: the customer.
    pub for_whom: Option<String>,
    /// Their phone number.
    pub customer_phone: Option<String>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// The feed of one member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The business.
    pub business: Business,
    /// The member of staff.
    pub staff_name: String,
    /// Appointments since 31 days ago, by start; also cancelled ones, so that calendar programs which merge entries
    /// mark them.
    pub entries: Vec<CalendarEntry>,
}

/// The feed of the URL with this epoch.
///
/// # Errors
/// [`Error::NotFound`] when the URL was renewed or never created.
pub async fn of_staff(core: &Core, staff_id: Uuid, epoch: i32) -> Result<Feed> {
    let db = &mut *core.pool.acquire().await?;
    let staff_name = sqlx::query_scalar!(
        "SELECT name FROM staff WHERE id = $1 AND feed_epoch = $2 AND feed_epoch > 0 AND active",
        staff_id,
        epoch
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("feed"))?;
    let entries = sqlx::query_as!(
        CalendarEntry,
        r#"SELECT b.ics_uid AS uid, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", lower(b.during) AS "start!",
                  upper(b.during) AS "end!", b.service_name, b.seats, staff.name AS staff_name,
                  coalesce(b.contact_name, nullif(c.name, '')) AS customer_name,
                  CASE WHEN b.contact_name IS NULL THEN c.phone ELSE b.contact_phone END AS customer_phone,
                  b.for_whom, b.updated_at
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
                  upper(b.during) AS "end!", b.service_name, b.seats, staff.name AS staff_name,
                  coalesce(b.contact_name, nullif(c.name, '')) AS customer_name,
                  CASE WHEN b.contact_name IS NULL THEN c.phone ELSE b.contact_phone END AS customer_phone,
                  b.for_whom, b.updated_at
           FROM bookings AS b JOIN staff ON staff.id = b.staff_id JOIN customers AS c ON c.id = b.customer_id
           WHERE b.id = $1"#,
        booking_id,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("booking"))?;
    Ok((settings::get(db).await?, entry))
}
