//! When a calendar is open: the union of its windows, without time off, and the classes that are planned in it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::civil::{minus_days, plus_days};
use super::classes::{PlannedClass, planned_classes};
use super::hours::{Calendar, OpenWindow, open_windows};
use super::span::{subtract, union};
use super::timetable::ClassDate;
use super::{Span, day_start, local_date};

/// When the calendar is open on the dates `from` to `to`: its windows without time off, disjoint, in order, cut at the ends
/// of these dates.
#[must_use]
pub fn open_spans(calendar: &Calendar, from: NaiveDate, to: NaiveDate) -> Vec<Span> {
    let (begin, end) = (day_start(calendar.zone, from), day_start(calendar.zone, plus_days(to, 1)));
    let open = OpenTime::around(calendar, from, to).open;
    open.iter().filter_map(|span| Span::new(span.start().max(begin), span.end().min(end))).collect()
}

impl Calendar {
    /// Whether the hours, and the timetables of services, take a booking of this service. Used to find bookings that no
    /// longer fit after a change.
    #[must_use]
    pub fn takes(&self, service: BookedTime) -> bool {
        let BookedTime { service_id, timetabled, during, blocked } = service;
        let dates = (local_date(self.zone, during.start()), local_date(self.zone, during.end()));
        OpenTime::around(self, dates.0, dates.1).takes(service_id, timetabled, during, blocked)
    }
}

/// A booking, as far as hours and timetables matter to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookedTime {
    /// Its service.
    pub service_id: Uuid,
    /// Whether the service has a timetable.
    pub timetabled: bool,
    /// The appointment.
    pub during: Span,
    /// The appointment with its buffers.
    pub blocked: Span,
}

/// No window is longer: a window of at most one civil day can span a repeated hour or a date the zone skips.
const MAX_WINDOW: TimeDelta = TimeDelta::days(3);

/// The open hours of a calendar around some dates.
pub(super) struct OpenTime {
    pub(super) windows: Vec<OpenWindow>,
    /// The union of the windows minus time off: disjoint, in order.
    open: Vec<Span>,
    /// By start.
    pub(super) classes: Vec<PlannedClass>,
    dates: Vec<ClassDate>,
}

impl OpenTime {
    /// The open time that matters to appointments (of at most a day) that start on the dates `from` to `to`.
    pub(super) fn around(calendar: &Calendar, from: NaiveDate, to: NaiveDate) -> Self {
        let (first, last) = (minus_days(from, 2), plus_days(to, 2));
        let windows = open_windows(calendar, first, last);
        let classes = planned_classes(calendar, first, last);
        let open = union(windows.iter().map(|window| window.span).collect());
        let open = subtract(&open, &union(calendar.time_off.clone()));
        Self { windows, open, classes, dates: calendar.timetable.dates.clone() }
    }

    /// Whether a booking of the service can be here as far as hours and timetables matter. Of a service with a timetable one
    /// begins with a planned class; of others it is in open time, and not while a class of another service is planned.
    pub(super) fn takes(&self, service_id: Uuid, timetabled: bool, during: Span, blocked: Span) -> bool {
        if timetabled {
            return self.starts_class(service_id, during.start());
        }
        let start = during.start();
        let is_start = |date: &ClassDate| date.service_id == service_id && date.start == start;
        let called_off = self.dates.iter().any(|date| !date.takes_place && is_start(date));
        let occupied = self
            .classes
            .iter()
            .any(|class| class.service_id != service_id && class.blocked.overlaps(blocked));
        self.covers(during) && !called_off && !occupied
    }

    /// Whether a class of the service is planned to start at this instant.
    pub(super) fn starts_class(&self, service_id: Uuid, start: DateTime<Utc>) -> bool {
        self.classes.iter().any(|class| class.service_id == service_id && class.during.start() == start)
    }

    /// Whether the span is open throughout.
    pub(super) fn covers(&self, span: Span) -> bool {
        let after = self.open.partition_point(|open| open.start() <= span.start());
        after.checked_sub(1).is_some_and(|i| self.open[i].contains(span))
    }

    /// Whether this instant is on the grid of a window.
    pub(super) fn on_grid(&self, start: DateTime<Utc>, step_min: u32) -> bool {
        let step_seconds = i64::from(step_min.max(1)) * 60;
        let begun = self.windows.partition_point(|window| window.span.start() <= start);
        self.windows[..begun].iter().rev().take_while(|window| start - window.span.start() < MAX_WINDOW).any(
            |window| {
                start < window.span.end() && (start - window.span.start()).num_seconds() % step_seconds == 0
            },
        )
    }
}
