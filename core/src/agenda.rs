//! The agenda of some dates: open hours, time off and bookings of all staff, read by
//! six queries for any number of staff.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use crate::bookings::{self, Booking};
use crate::calendar::{PlannedClass, Span, after_date, day_start, open_spans, planned_classes};
use crate::hours::{self, Closure, TimeOff};
use crate::pool::again_if_cut;
use crate::staff::{self, StaffMember};
use crate::types::{Actor, ParseError, Zone};
use crate::{Core, Error, Result, settings, slots};

/// Most dates of one agenda.
pub const MAX_DAYS: i64 = 31;

/// Which part of the agenda to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgendaQuery {
    /// First date, in the business's zone.
    pub from: NaiveDate,
    /// Last date, included; at most [`MAX_DAYS`] dates in all.
    pub to: NaiveDate,
    /// The member of staff; none: everybody.
    pub staff_id: Option<Uuid>,
}

/// The agenda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agenda {
    /// The business's zone, in which the dates are read.
    pub zone: Zone,
    /// Dates on which the whole business is closed.
    pub closures: Vec<Closure>,
    /// By name: everybody who is active, and former staff who still have bookings on these dates.
    pub staff: Vec<StaffAgenda>,
}

/// The agenda of one member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffAgenda {
    /// Who it is.
    pub member: StaffMember,
    /// Open hours without time off: disjoint, in order.
    pub open: Vec<Span>,
    /// Classes that timetables plan on these dates, booked or not, by start.
    pub classes: Vec<PlannedClass>,
    /// Time off, by start.
    pub time_off: Vec<TimeOff>,
    /// Holds, pending, confirmed, completed and missed bookings that touch these dates, by start.
    pub bookings: Vec<Booking>,
}

/// The agenda; for staff.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] before the business is set up, or for unknown staff; [`Error::Invalid`] for a
/// range that is reversed or too long.
pub async fn read(core: &Core, actor: &Actor, query: AgendaQuery) -> Result<Agenda> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let AgendaQuery { from, to, staff_id } = query;
    if to < from || to - from >= TimeDelta::days(MAX_DAYS) {
        let error = ParseError::new("bad_range", "an agenda has 1 to 31 dates");
        return Err(Error::Invalid { pointer: "/to", error });
    }
    let zone = again_if_cut(|| settings::get(&core.pool)).await?.zone;
    let Some(within) = Span::new(day_start(zone, from), day_start(zone, after_date(to))) else {
        let error = ParseError::new("bad_range", "these dates do not exist in the business's zone");
        return Err(Error::Invalid { pointer: "/from", error });
    };
    let mut members = staff::list(core, None, true).await?;
    members.retain(|member| staff_id.is_none_or(|id| member.id == id));
    if staff_id.is_some() && members.is_empty() {
        return Err(Error::NotFound("staff"));
    }
    let ids: Vec<Uuid> = members.iter().map(|member| member.id).collect();
    let closures = hours::closures(core, from, to).await?;
    let calendars = slots::opening_hours(&mut *core.pool.acquire().await?, zone, &ids, (from, to)).await?;
    let mut open: HashMap<Uuid, Vec<Span>> =
        calendars.iter().map(|calendar| (calendar.staff_id, open_spans(calendar, from, to))).collect();
    let mut classes: HashMap<Uuid, Vec<PlannedClass>> =
        calendars.iter().map(|calendar| (calendar.staff_id, planned_classes(calendar, from, to))).collect();
    let mut time_off = by_staff(hours::time_off_of(core, &ids, within).await?, |off| off.staff_id);
    let mut booked =
        by_staff(bookings::within(core, actor, within, staff_id).await?, |booking| booking.staff.id);
    let staff = members.into_iter().map(|member| StaffAgenda {
        open: open.remove(&member.id).unwrap_or_default(),
        classes: classes.remove(&member.id).unwrap_or_default(),
        time_off: time_off.remove(&member.id).unwrap_or_default(),
        bookings: booked.remove(&member.id).unwrap_or_default(),
        member,
    });
    let shown = |of: &StaffAgenda| of.member.active || !of.bookings.is_empty() || staff_id.is_some();
    Ok(Agenda { zone, closures, staff: staff.filter(shown).collect() })
}

fn by_staff<T>(list: Vec<T>, staff_id: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    let mut grouped: HashMap<Uuid, Vec<T>> = HashMap::new();
    for item in list {
        grouped.entry(staff_id(&item)).or_default().push(item);
    }
    grouped
}
