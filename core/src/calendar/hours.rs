//! Opening hours: from wall-clock rules to windows of instants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate, Weekday};
use uuid::Uuid;

use super::civil::{minus_days, plus_days};
use super::span::{subtract, union};
use super::{Busy, BusyResources, CivilTime, Span, Timetable, day_start, local_to_instants};
use crate::types::Zone;

/// A window of one civil day in wall-clock time. One that closes at or before its opening closes on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayWindow {
    opens: CivilTime,
    closes: CivilTime,
}

/// A window that opens at the end of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a window opens between 00:00 and 23:59; 24:00 can only close one")]
pub struct DayWindowError;

impl DayWindow {
    /// The window from `opens` (before `24:00`) to `closes`.
    pub fn new(opens: CivilTime, closes: CivilTime) -> Result<Self, DayWindowError> {
        if opens < CivilTime::END_OF_DAY { Ok(Self { opens, closes }) } else { Err(DayWindowError) }
    }

    /// Opening time.
    #[must_use]
    pub fn opens(self) -> CivilTime {
        self.opens
    }

    /// Closing time, of the next day when not after the opening.
    #[must_use]
    pub fn closes(self) -> CivilTime {
        self.closes
    }

    /// Length in minutes of a usual day, 1 to 1440.
    #[must_use]
    pub fn minutes(self) -> u16 {
        let (opens, closes) = (self.opens.minutes(), self.closes.minutes());
        if closes > opens { closes - opens } else { closes + CivilTime::END_OF_DAY.minutes() - opens }
    }

    /// The window as instants on that date: an opening is the first occurrence of its wall-clock time, a closing the
    /// last; in a gap both move to its end. `None` when the whole window lies in a gap.
    fn on(self, date: NaiveDate, zone: Zone) -> Option<Span> {
        let closing_date = if self.closes > self.opens { date } else { plus_days(date, 1) };
        let opens = local_to_instants(zone, self.opens.on(date)).first;
        let closes = local_to_instants(zone, self.closes.on(closing_date)).last;
        Span::new(opens, closes)
    }
}

/// A window of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeeklyWindow {
    /// The day on which it opens.
    pub weekday: Weekday,
    /// When.
    pub window: DayWindow,
}

/// The calendar of one member of staff, restricted to the queried dates (see [`dates_needed`]).
#[derive(Debug, Clone)]
pub struct Calendar {
    /// The member of staff.
    pub staff_id: Uuid,
    /// The business's zone.
    pub zone: Zone,
    /// Dates on which the whole business is closed.
    pub closures: Arc<BTreeSet<NaiveDate>>,
    /// The usual week, until the first of the later ones begins.
    pub weekly: Vec<WeeklyWindow>,
    /// Weeks that replace it, by the date from which they apply.
    pub later_weeks: BTreeMap<NaiveDate, Vec<WeeklyWindow>>,
    /// Overrides: the windows of single dates; none: closed.
    pub overrides: BTreeMap<NaiveDate, Vec<DayWindow>>,
    /// Time off.
    pub time_off: Vec<Span>,
    /// Classes planned by timetables of services.
    pub timetable: Timetable,
    /// Bookings.
    pub busy: Busy,
    /// When the resources that its services need are in use.
    pub resources: Arc<BusyResources>,
}

/// A window as instants. The grid of starts begins at its opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenWindow {
    /// From the opening to the closing.
    pub span: Span,
}

/// The first and last date whose closures and overrides affect starts on the dates `from` to `to`.
#[must_use]
pub fn dates_needed(from: NaiveDate, to: NaiveDate) -> (NaiveDate, NaiveDate) {
    (minus_days(from, 2), plus_days(to, 3))
}

/// The windows that open on the dates `from` to `to`, both included, by opening. They may touch and overlap.
#[must_use]
pub fn open_windows(calendar: &Calendar, from: NaiveDate, to: NaiveDate) -> Vec<OpenWindow> {
    let mut windows = Vec::new();
    for date in from.iter_days().take_while(|date| *date <= to) {
        let next = plus_days(date, 1);
        let cut = calendar.owns(next).then(|| day_start(calendar.zone, next));
        calendar.each_window_of(date, |window| {
            let Some(span) = window.on(date, calendar.zone) else { return };
            let closes = cut.map_or(span.end(), |cut| span.end().min(cut));
            windows.extend(Span::new(span.start(), closes).map(|span| OpenWindow { span }));
        });
    }
    windows.sort_unstable_by_key(|window| window.span);
    windows
}

impl Calendar {
    /// A calendar without hours or bookings.
    #[must_use]
    pub fn empty(staff_id: Uuid, zone: Zone, closures: Arc<BTreeSet<NaiveDate>>) -> Self {
        Self {
            staff_id,
            zone,
            closures,
            weekly: Vec::new(),
            later_weeks: BTreeMap::new(),
            overrides: BTreeMap::new(),
            time_off: Vec::new(),
            timetable: Timetable::default(),
            busy: Busy::default(),
            resources: Arc::default(),
        }
    }

    /// Minutes of the windows that open on the dates `from` to `to`, without time off; where windows overlap, once.
    #[must_use]
    pub fn open_minutes(&self, from: NaiveDate, to: NaiveDate) -> i64 {
        let windows = open_windows(self, from, to).into_iter().map(|window| window.span).collect();
        let open = subtract(&union(windows), &union(self.time_off.clone()));
        open.iter().map(|span| (span.end() - span.start()).num_minutes()).sum()
    }

    /// Whether the date has a closure or override, so that weekly hours and the previous night do not apply.
    fn owns(&self, date: NaiveDate) -> bool {
        self.closures.contains(&date) || self.overrides.contains_key(&date)
    }

    /// The usual week of a date.
    fn week_of(&self, date: NaiveDate) -> &[WeeklyWindow] {
        self.later_weeks.range(..=date).next_back().map_or(&self.weekly, |(_, week)| week)
    }

    fn each_window_of(&self, date: NaiveDate, mut visit: impl FnMut(DayWindow)) {
        if self.closures.contains(&date) {
            return;
        }
        match self.overrides.get(&date) {
            Some(windows) => windows.iter().copied().for_each(visit),
            None => {
                for weekly in self.week_of(date).iter().filter(|weekly| weekly.weekday == date.weekday()) {
                    visit(weekly.window);
                }
            }
        }
    }
}
