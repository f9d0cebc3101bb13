//! The classes of some dates, planned or booked, with those who take part.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::ClassAt;
use crate::bookings::{Booking, BookingStatus, within};
use crate::calendar::{Span, after_date, day_start, planned_classes};
use crate::pool::again_if_cut;
use crate::slots::opening_hours;
use crate::types::{Actor, ParseError};
use crate::{Core, Error, Result, services, settings, staff};

/// Most dates of one list.
const MAX_DAYS: i64 = 31;

/// Classes by start, member of staff and service, with their times.
type Found = BTreeMap<(DateTime<Utc>, Uuid, Uuid), (Span, Vec<Booking>)>;

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassOf {
    /// Its service.
    pub service_id: Uuid,
    /// Name of the service.
    pub service_name: String,
    /// Who performs it.
    pub staff_id: Uuid,
    /// Their name.
    pub staff_name: String,
    /// Its start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// Its end.
    pub end: DateTime<FixedOffset>,
    /// Seats, by the service as it is now.
    pub capacity: u32,
    /// Seats that are held, requested or booked; those of no-shows are not counted.
    pub seats_taken: u32,
    /// Bookings by seat: holds, pending, confirmed, completed and missed ones.
    pub participants: Vec<Booking>,
}

/// The classes that start on the dates `from` to `to`, by start; for staff. These are the ones a timetable plans, booked or
/// not, and those of other services with several seats that have a booking.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] before the business is set up; [`Error::Invalid`] for a range that is reversed or
/// too long.
pub async fn classes(
    core: &Core,
    actor: &Actor,
    (from, to): (NaiveDate, NaiveDate),
    staff_id: Option<Uuid>,
) -> Result<Vec<ClassOf>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    if to < from || to - from >= TimeDelta::days(MAX_DAYS) {
        let error = ParseError::new("bad_range", "a list of classes has 1 to 31 dates");
        return Err(Error::Invalid { pointer: "/to", error });
    }
    again_if_cut(|| read(core, actor, (from, to), staff_id)).await
}

async fn read(
    core: &Core,
    actor: &Actor,
    (from, to): (NaiveDate, NaiveDate),
    staff_id: Option<Uuid>,
) -> Result<Vec<ClassOf>> {
    let zone = settings::get(&core.pool).await?.zone;
    let Some(span) = Span::new(day_start(zone, from), day_start(zone, after_date(to))) else {
        return Ok(Vec::new());
    };
    let services = services::list(core, true).await?;
    let members = staff::list(core, None, true).await?;
    let ids: Vec<Uuid> =
        members.iter().map(|member| member.id).filter(|id| staff_id.is_none_or(|one| one == *id)).collect();
    let calendars = opening_hours(&mut *core.pool.acquire().await?, zone, &ids, (from, to)).await?;
    let mut found = Found::new();
    for calendar in &calendars {
        for class in planned_classes(calendar, from, to) {
            let key = (class.during.start(), calendar.staff_id, class.service_id);
            found.insert(key, (class.during, Vec::new()));
        }
    }
    for booking in within(core, actor, span, staff_id).await? {
        let is_group = services.iter().any(|one| one.id == booking.service.id && one.spec.capacity > 1);
        let key = (booking.start.to_utc(), booking.staff.id, booking.service.id);
        let starts_within = (span.start()..span.end()).contains(&key.0);
        let during = Span::new(key.0, booking.end.to_utc());
        if !starts_within || !(is_group || booking.seat_no > 1 || found.contains_key(&key)) {
            continue;
        }
        if let Some(during) = during {
            let (of_class, participants) = found.entry(key).or_insert((during, Vec::new()));
            *of_class = during;
            participants.push(booking);
        }
    }
    let classes = found.into_iter().filter_map(|((start, staff_id, service_id), (during, mut booked))| {
        let service = services.iter().find(|service| service.id == service_id)?;
        let member = members.iter().find(|member| member.id == staff_id)?;
        booked.sort_by_key(|booking| booking.seat_no);
        let counts = |booking: &&Booking| booking.status != BookingStatus::NoShow;
        Some(ClassOf {
            service_id,
            service_name: service.spec.name.as_str().to_owned(),
            staff_id,
            staff_name: member.name.as_str().to_owned(),
            start: zone.at(start),
            end: zone.at(during.end()),
            capacity: service.spec.capacity,
            seats_taken: booked.iter().filter(counts).map(|booking| booking.seats.unsigned_abs()).sum(),
            participants: booked,
        })
    });
    Ok(classes.collect())
}

impl ClassOf {
    /// What names it.
    #[must_use]
    pub fn at(&self) -> ClassAt {
        ClassAt { service_id: self.service_id, staff_id: self.staff_id, start: self.start.to_utc() }
    }
}
