//! Stranded bookings: those that no longer fit the current calendar. They are not changed until staff decide.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::zone;
use crate::calendar::{BookedTime, Calendar, Span, local_date};
use crate::slots::opening_hours;
use crate::types::{Actor, BookingStatus, Cursor, Page, PageSize};
use crate::{Core, Error, Result};

/// Bookings that one step of [`list_stranded`] examines.
const BATCH: i64 = 500;

/// The result of a change to a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed<T> {
    /// The changed object after the change.
    pub value: T,
    /// Bookings that fitted before the change and no longer do, by start. They are not changed.
    pub stranded: Vec<StrandedBooking>,
}

/// Why a booking is stranded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrandedReason {
    /// Part of it is outside open hours: hours changed, a closure or time off was added, the zone changed, a class was planned
    /// then, or its service has a timetable with other starts.
    OutsideHours,
    /// Its member of staff is inactive.
    StaffInactive,
    /// Its member of staff no longer performs the service.
    StaffNotAssigned,
    /// Its service is inactive.
    ServiceInactive,
    /// The class has fewer seats than are booked, and this is one of the later bookings.
    OverCapacity,
    /// A room or a piece of equipment that it has is inactive, or out of service at that time.
    ResourceUnavailable,
}

impl StrandedReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::OutsideHours,
        Self::StaffInactive,
        Self::StaffNotAssigned,
        Self::ServiceInactive,
        Self::OverCapacity,
        Self::ResourceUnavailable,
    ];

    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutsideHours => "outside_hours",
            Self::StaffInactive => "staff_inactive",
            Self::StaffNotAssigned => "staff_not_assigned",
            Self::ServiceInactive => "service_inactive",
            Self::OverCapacity => "over_capacity",
            Self::ResourceUnavailable => "resource_unavailable",
        }
    }
}

/// A stranded hold, pending or confirmed booking that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrandedBooking {
    /// The booking's id.
    pub booking_id: Uuid,
    /// The service.
    pub service_id: Uuid,
    /// The member of staff.
    pub staff_id: Uuid,
    /// Its status.
    pub status: BookingStatus,
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End, with the offset of the business's zone.
    pub end: DateTime<FixedOffset>,
    /// Why it is stranded.
    #[serde(default)]
    pub reasons: Vec<StrandedReason>,
}

/// Which bookings to examine.
#[derive(Default)]
struct Scope<'a> {
    staff_ids: &'a [Uuid],
    service_id: Option<Uuid>,
    booking_ids: Option<&'a [Uuid]>,
    within: Option<Span>,
    /// Those after this one by (start, id).
    after: Option<Cursor>,
    /// None: all of them.
    limit: Option<i64>,
}

/// The stranded bookings, by (start, id); for staff.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list_stranded(
    core: &Core,
    actor: &Actor,
    limit: PageSize,
    cursor: Option<Cursor>,
) -> Result<Page<StrandedBooking>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let (db, now) = (&mut *core.pool.acquire().await?, core.now());
    let staff_ids: Vec<Uuid> = sqlx::query_scalar!("SELECT id FROM staff").fetch_all(&mut *db).await?;
    let (mut data, mut after) = (Vec::new(), cursor);
    loop {
        let scope = Scope { staff_ids: &staff_ids, after, limit: Some(BATCH), ..Scope::default() };
        let examined = examine(db, now, &scope).await?;
        let Some(last) = examined.last() else { break };
        after = Some(Cursor { at: last.start.to_utc(), id: last.booking_id });
        let complete = i64::try_from(examined.len()).is_ok_and(|count| count < BATCH);
        data.extend(examined.into_iter().filter(|booking| !booking.reasons.is_empty()));
        if complete || data.len() > limit.rows() {
            break;
        }
    }
    let more = data.len() > limit.rows();
    data.truncate(limit.rows());
    let last = data.last().filter(|_| more);
    let next_cursor = last.map(|booking| Cursor { at: booking.start.to_utc(), id: booking.booking_id });
    Ok(Page { data, next_cursor })
}

/// Why these bookings of these (distinct) members of staff are stranded, by id; empty for one that fits. The caller has
/// locked their calendars.
pub(crate) async fn stranded_reasons(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    staff_ids: &[Uuid],
    booking_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<StrandedReason>>> {
    let scope = Scope { staff_ids, booking_ids: Some(booking_ids), ..Scope::default() };
    let examined = examine(tx, now, &scope).await?;
    Ok(examined.into_iter().map(|booking| (booking.booking_id, booking.reasons)).collect())
}

/// Holds, pending and confirmed bookings that have not ended at `now`, by (start, id), each with the reasons for which it is
/// stranded; none if it fits.
async fn examine(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    scope: &Scope<'_>,
) -> Result<Vec<StrandedBooking>> {
    let zone = zone(db).await?;
    // The index on (staff_id, start) finds appointments in progress, because none is longer than a day.
    let rows = sqlx::query!(
        r#"SELECT b.id, b.service_id, b.staff_id, b.status AS "status: BookingStatus", lower(b.during) AS "start!",
                  upper(b.during) AS "end!", lower(b.blocked) AS "blocked_from!", upper(b.blocked) AS "blocked_to!",
                  EXISTS (SELECT FROM class_windows AS w WHERE w.service_id = b.service_id) AS "timetabled!", staff.active AS staff_active, services.active AS service_active,
                  EXISTS (SELECT FROM service_staff AS s
                          WHERE s.service_id = b.service_id AND s.staff_id = b.staff_id) AS "assigned!",
                  b.seats + (SELECT coalesce(sum(other.seats), 0) FROM bookings AS other
                   WHERE other.class_id = b.class_id AND other.blocks
                     AND (other.hold_expires_at IS NULL OR other.hold_expires_at > $2)
                     AND (other.created_at, other.id) < (b.created_at, b.id)) > services.capacity AS "over_capacity!",
                  EXISTS (SELECT FROM booking_resources AS used JOIN resources AS r ON r.id = used.resource_id
                          WHERE used.booking_id = b.id
                            AND (NOT r.active OR EXISTS (SELECT FROM resource_outages AS o
                                                         WHERE o.resource_id = r.id AND o.during && b.blocked)))
                      AS "no_resource!"
           FROM bookings AS b JOIN staff ON staff.id = b.staff_id JOIN services ON services.id = b.service_id
           WHERE b.staff_id = ANY($1) AND b.blocks
             AND lower(b.during) > $2::timestamptz - interval '24 hours' AND upper(b.during) > $2
             AND (b.hold_expires_at IS NULL OR b.hold_expires_at > $2)
             AND ($3::uuid IS NULL OR b.service_id = $3) AND ($4::uuid[] IS NULL OR b.id = ANY($4))
             AND ($5::timestamptz IS NULL OR upper(b.during) > $5)
             AND ($6::timestamptz IS NULL OR lower(b.during) < $6)
             AND ($7::timestamptz IS NULL OR (lower(b.during), b.id) > ($7, $8))
           ORDER BY lower(b.during), b.id LIMIT $9"#,
        scope.staff_ids,
        now,
        scope.service_id,
        scope.booking_ids,
        scope.within.map(|span| span.start()),
        scope.within.map(|span| span.end()),
        scope.after.map(|cursor| cursor.at),
        scope.after.map(|cursor| cursor.id),
        scope.limit,
    )
    .fetch_all(&mut *db)
    .await?;
    let Some((first, last)) =
        rows.iter().map(|row| row.start).min().zip(rows.iter().map(|row| row.end).max())
    else {
        return Ok(Vec::new());
    };
    let dates = (local_date(zone, first), local_date(zone, last));
    let calendars = opening_hours(db, zone, scope.staff_ids, dates).await?;
    let takes = |staff_id: Uuid, booked: Option<BookedTime>| {
        let calendar = calendars.iter().find(|calendar: &&Calendar| calendar.staff_id == staff_id);
        calendar.zip(booked).is_some_and(|(calendar, booked)| calendar.takes(booked))
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let spans = Span::new(row.start, row.end).zip(Span::new(row.blocked_from, row.blocked_to));
            let booked = spans.map(|(during, blocked)| BookedTime {
                service_id: row.service_id,
                timetabled: row.timetabled,
                during,
                blocked,
            });
            let reasons = [
                (StrandedReason::OutsideHours, !takes(row.staff_id, booked)),
                (StrandedReason::StaffInactive, !row.staff_active),
                (StrandedReason::StaffNotAssigned, !row.assigned),
                (StrandedReason::ServiceInactive, !row.service_active),
                (StrandedReason::OverCapacity, row.over_capacity),
                (StrandedReason::ResourceUnavailable, row.no_resource),
            ];
            StrandedBooking {
                booking_id: row.id,
                service_id: row.service_id,
                staff_id: row.staff_id,
                status: row.status,
                start: zone.at(row.start),
                end: zone.at(row.end),
                reasons: reasons
                    .into_iter()
                    .filter(|(_, applies)| *applies)
                    .map(|(reason, _)| reason)
                    .collect(),
            }
        })
        .collect())
}

/// The bookings that fit before a change, to find those that the change strands.
pub(crate) struct Fitting {
    now: DateTime<Utc>,
    staff_ids: Vec<Uuid>,
    service_id: Option<Uuid>,
    within: Option<Span>,
    booking_ids: HashSet<Uuid>,
}

impl Fitting {
    /// Reads them before the change; `within` is the span that the change can affect, if known.
    pub(crate) async fn before(
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        staff_ids: &[Uuid],
        within: Option<Span>,
    ) -> Result<Self> {
        Self::read(tx, now, staff_ids, None, within).await
    }

    /// Reads those of one service with these members of staff, before a change of the service.
    pub(crate) async fn before_change_of_service(
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        staff_ids: &[Uuid],
        service_id: Uuid,
    ) -> Result<Self> {
        Self::read(tx, now, staff_ids, Some(service_id), None).await
    }

    async fn read(
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        staff_ids: &[Uuid],
        service_id: Option<Uuid>,
        within: Option<Span>,
    ) -> Result<Self> {
        let mut staff_ids = staff_ids.to_vec();
        staff_ids.sort_unstable();
        staff_ids.dedup();
        let mut fitting = Self { now, staff_ids, service_id, within, booking_ids: HashSet::new() };
        let examined = fitting.examine(tx).await?;
        let fits = examined.into_iter().filter(|booking| booking.reasons.is_empty());
        fitting.booking_ids = fits.map(|booking| booking.booking_id).collect();
        Ok(fitting)
    }

    /// Those that no longer fit after the change, by start.
    pub(crate) async fn stranded(self, tx: &mut PgConnection) -> Result<Vec<StrandedBooking>> {
        if self.booking_ids.is_empty() {
            return Ok(Vec::new());
        }
        let examined = self.examine(tx).await?;
        let stranded = examined
            .into_iter()
            .filter(|booking| !booking.reasons.is_empty() && self.booking_ids.contains(&booking.booking_id));
        Ok(stranded.collect())
    }

    async fn examine(&self, tx: &mut PgConnection) -> Result<Vec<StrandedBooking>> {
        let Self { staff_ids, service_id, within, .. } = self;
        let scope = Scope { staff_ids, service_id: *service_id, within: *within, ..Scope::default() };
        examine(tx, self.now, &scope).await
    }
}
