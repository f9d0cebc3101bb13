//! Decides whether a start can be booked.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::civil::plus_days;
use super::open_time::OpenTime;
use super::{Blocker, Calendar, Chosen, ServiceRules, Span, class_id, day_start, local_date};
use crate::types::Zone;

/// Which limits apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// All of them.
    Enforced,
    /// Override by staff: notice, horizon, hours and grid are ignored, other bookings are not. The start must be a whole
    /// minute within ten years, and may be in the past back to the start of today, for those who came without a booking.
    Overridden,
    /// A booking that keeps its start while staff change something else. Hours and other bookings are checked; notice,
    /// horizon and grid were checked when it was made. It may have begun today.
    InPlace,
    /// An occurrence of a series that staff make or move: all but notice and horizon.
    Series,
    /// A later service of a visit: all but the grid, because it begins when the one before it ends. A class begins only as
    /// planned, or on its grid.
    Following,
}

impl Limits {
    /// Whether the start must be in the future.
    const fn are_of_the_list(self) -> bool {
        matches!(self, Self::Enforced | Self::Series | Self::Following)
    }

    /// Whether the start has to be on the grid of a service with so many seats.
    const fn keep_the_grid(self, capacity: u32) -> bool {
        match self {
            Self::Enforced | Self::Series => true,
            Self::Following => capacity > 1,
            Self::Overridden | Self::InPlace => false,
        }
    }
}

/// Why a start cannot be booked: the first reason that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The start is before now.
    #[error("the start is in the past")]
    StartInPast,
    /// The start is nearer than the minimum notice.
    #[error("the start is too soon: the service needs more notice")]
    TooSoon,
    /// The date is beyond the horizon.
    #[error("the start is too far ahead")]
    TooFar,
    /// Part of the appointment is outside open hours or within time off.
    #[error("the appointment is outside opening hours")]
    OutsideHours,
    /// The start is not on the grid of any window.
    #[error("the start is not one of the service's starts")]
    OffGrid,
    /// It would overlap another booking, or its class is full.
    #[error("the time is taken")]
    Taken,
    /// A room or a piece of equipment that it needs is in use or out of service.
    #[error("a resource is taken")]
    ResourceTaken(Blocker),
}

impl Refusal {
    /// The code of the problem that says the same in the API.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::StartInPast => "start_in_past",
            Self::TooSoon => "too_soon",
            Self::TooFar => "too_far",
            Self::OutsideHours => "outside_hours",
            Self::OffGrid => "off_grid",
            Self::Taken | Self::ResourceTaken(_) => "slot_taken",
        }
    }
}

/// The times and the class that a booking gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The appointment; in an existing class, the class's own times.
    pub during: Span,
    /// The appointment with its buffers, likewise.
    pub blocked: Span,
    /// The class of a group service; `None` for a one-to-one service.
    pub class_id: Option<Uuid>,
    /// Seats that can still be taken here, those of this booking included; at least 1.
    pub seats_left: u32,
    /// The resources it gets.
    pub resources: Chosen,
}

impl Place {
    /// The place for a booking of so many seats.
    ///
    /// # Errors
    /// [`Refusal::Taken`] when fewer are left.
    pub fn for_seats(self, seats: u32) -> Result<Self, Refusal> {
        if seats <= self.seats_left { Ok(self) } else { Err(Refusal::Taken) }
    }
}

/// The latest start, also with override, so that arithmetic on instants stays within its range.
const MAX_DAYS_AHEAD: i64 = 3653;

/// Whether a booking made at `now` can start at `start`, and its place. The calendar of one member of staff and the
/// rules of one service decide.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub fn is_bookable(
    calendar: &Calendar,
    rules: &ServiceRules,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    limits: Limits,
) -> Result<Place, Refusal> {
    within_limits(calendar, rules, start, now, limits)?;
    let day = local_date(calendar.zone, start);
    let open = (limits != Limits::Overridden).then(|| OpenTime::around(calendar, day, day));
    place(calendar, rules, open.as_ref(), start, limits)
}

/// The checks that `override` does not skip: `StartInPast`, or `TooFar` when the start is more than ten years ahead.
/// With [`Limits::Overridden`] and [`Limits::InPlace`], a start earlier today is allowed. Call it before arithmetic on the
/// instant or a query with it.
#[must_use]
pub fn out_of_reach(zone: Zone, start: DateTime<Utc>, now: DateTime<Utc>, limits: Limits) -> Option<Refusal> {
    let earliest =
        if limits.are_of_the_list() { now } else { day_start(zone, local_date(zone, now)).min(now) };
    if start < earliest {
        Some(Refusal::StartInPast)
    } else if start - now > TimeDelta::days(MAX_DAYS_AHEAD) {
        Some(Refusal::TooFar)
    } else {
        None
    }
}

/// The last civil date within the horizon.
#[must_use]
pub fn last_bookable_date(zone: Zone, rules: &ServiceRules, now: DateTime<Utc>) -> NaiveDate {
    plus_days(local_date(zone, now), u64::from(rules.horizon_days))
}

/// Checks past, notice and horizon.
pub(super) fn within_limits(
    calendar: &Calendar,
    rules: &ServiceRules,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    limits: Limits,
) -> Result<(), Refusal> {
    if let Some(refusal) = out_of_reach(calendar.zone, start, now, limits) {
        return Err(refusal);
    }
    if !matches!(limits, Limits::Enforced | Limits::Following) {
        return Ok(());
    }
    if start - now < TimeDelta::minutes(i64::from(rules.min_notice_min)) {
        return Err(Refusal::TooSoon);
    }
    if local_date(calendar.zone, start) > last_bookable_date(calendar.zone, rules, now) {
        return Err(Refusal::TooFar);
    }
    Ok(())
}

/// Checks hours, grid and other bookings as the limits say; without `open` only other bookings.
pub(super) fn place(
    calendar: &Calendar,
    rules: &ServiceRules,
    open: Option<&OpenTime>,
    start: DateTime<Utc>,
    limits: Limits,
) -> Result<Place, Refusal> {
    let end = start + TimeDelta::minutes(i64::from(rules.duration_min));
    let during = Span::new(start, end).ok_or(Refusal::OutsideHours)?;
    let mut place = Place {
        during,
        blocked: during.padded(rules.buffer_before_min, rules.buffer_after_min),
        class_id: (rules.capacity > 1).then(|| class_id(rules.service_id, calendar.staff_id, start)),
        seats_left: rules.capacity,
        resources: Chosen::default(),
    };
    if let Some(class) = calendar.busy.overlapping(during).find(|class| Some(class.id) == place.class_id) {
        place.during = class.during;
        place.blocked = class.blocked;
        place.seats_left = rules.capacity.saturating_sub(class.seats_taken);
    }
    if let Some(open) = open {
        if !open.takes(rules.service_id, rules.timetabled, place.during, place.blocked) {
            let off_grid = rules.timetabled && limits.are_of_the_list();
            return Err(if off_grid { Refusal::OffGrid } else { Refusal::OutsideHours });
        }
        if limits.keep_the_grid(rules.capacity)
            && !rules.timetabled
            && !open.on_grid(start, rules.slot_step_min)
        {
            return Err(Refusal::OffGrid);
        }
    }
    if start.timestamp() % 60 != 0 || start.timestamp_subsec_nanos() != 0 {
        return Err(Refusal::OffGrid);
    }
    let neighbour = calendar.busy.overlapping(place.blocked).any(|class| Some(class.id) != place.class_id);
    if neighbour || place.seats_left == 0 {
        return Err(Refusal::Taken);
    }
    let resources = calendar.resources.choose(&rules.needs, place.blocked, place.class_id, &[]);
    place.resources = resources.map_err(Refusal::ResourceTaken)?;
    Ok(place)
}

/// Checks many starts on known dates with open hours computed once.
pub(super) struct StartChecker<'a> {
    pub(super) calendar: &'a Calendar,
    pub(super) rules: &'a ServiceRules,
    pub(super) open: OpenTime,
    pub(super) now: DateTime<Utc>,
}

impl StartChecker<'_> {
    pub(super) fn is_bookable(&self, start: DateTime<Utc>) -> Result<Place, Refusal> {
        within_limits(self.calendar, self.rules, start, self.now, Limits::Enforced)?;
        place(self.calendar, self.rules, Some(&self.open), start, Limits::Enforced)
    }
}
