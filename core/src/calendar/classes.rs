//! Classes that timetables plan.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::hours::{Calendar, open_windows};
use super::span::union;
use super::timetable::ClassLength;
use super::{Span, local_date, local_to_instants};

/// A class that the timetable plans, booked or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedClass {
    /// The service.
    pub service_id: Uuid,
    /// The class.
    pub during: Span,
    /// The class with its buffers.
    pub blocked: Span,
}

/// The classes that start on the dates `from` to `to`, by start. None takes place on a date of a closure, outside the
/// windows of a date override, or during time off. Weekly hours do not matter: a timetable opens its own time.
#[must_use]
pub fn planned_classes(calendar: &Calendar, from: NaiveDate, to: NaiveDate) -> Vec<PlannedClass> {
    let timetable = &calendar.timetable;
    if timetable.is_empty() {
        return Vec::new();
    }
    let mut planned: Vec<PlannedClass> = Vec::new();
    for date in from.iter_days().take_while(|date| *date <= to) {
        for class in timetable.weekly.iter().filter(|class| class.is_on(date)) {
            let start = local_to_instants(calendar.zone, class.start.on(date)).first;
            if !timetable.is_called_off(class.service_id, start) {
                planned.extend(planned_class(class.service_id, start, class.length));
            }
        }
    }
    for extra in timetable.dates.iter().filter(|date| date.takes_place) {
        if (from..=to).contains(&local_date(calendar.zone, extra.start)) {
            planned.extend(planned_class(extra.service_id, extra.start, extra.length));
        }
    }
    planned.retain(|class| takes_place(calendar, class.during));
    planned.sort_unstable_by_key(|class| (class.during, class.service_id));
    planned.dedup();
    planned
}

fn planned_class(service_id: Uuid, start: DateTime<Utc>, length: ClassLength) -> Option<PlannedClass> {
    let during = Span::new(start, start + TimeDelta::minutes(i64::from(length.minutes)))?;
    let blocked = during.padded(length.before, length.after);
    Some(PlannedClass { service_id, during, blocked })
}

fn takes_place(calendar: &Calendar, during: Span) -> bool {
    let date = local_date(calendar.zone, during.start());
    if calendar.closures.contains(&date) || calendar.time_off.iter().any(|off| off.overlaps(during)) {
        return false;
    }
    !calendar.overrides.contains_key(&date) || {
        let windows = open_windows(calendar, date, date).into_iter().map(|window| window.span).collect();
        union(windows).iter().any(|open| open.contains(during))
    }
}
