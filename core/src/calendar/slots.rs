//! The list of slots: every start on the grid of a window, or of a planned class, that [`super::is_bookable`] accepts.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::bookable::StartChecker;
use super::civil::after_date;
use super::open_time::OpenTime;
use super::{Calendar, ServiceRules, day_start, local_date};

/// A start that can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Start of the appointment.
    pub start: DateTime<Utc>,
    /// End of the appointment.
    pub end: DateTime<Utc>,
    /// Seats that can still be taken at this start; at least 1.
    pub seats_left: u32,
}

/// The slots that start on the civil dates `from` to `to`, both included, as of `now`, in order and without duplicates.
#[must_use]
pub fn slots(
    calendar: &Calendar,
    rules: &ServiceRules,
    from: NaiveDate,
    to: NaiveDate,
    now: DateTime<Utc>,
) -> Vec<Slot> {
    let asker = StartChecker { calendar, rules, open: OpenTime::around(calendar, from, to), now };
    let step = TimeDelta::minutes(i64::from(rules.slot_step_min.max(1)));
    let mut starts: Vec<DateTime<Utc>> = Vec::new();
    if rules.timetabled {
        let ours = asker.open.classes.iter().filter(|class| class.service_id == rules.service_id);
        starts.extend(ours.map(|class| class.during.start()));
    }
    for window in asker.open.windows.iter().filter(|_| !rules.timetabled) {
        let mut start = window.span.start();
        while start < window.span.end() {
            starts.push(start);
            start += step;
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts.retain(|start| (from..=to).contains(&local_date(calendar.zone, *start)));
    starts
        .into_iter()
        .filter_map(|start| asker.is_bookable(start).ok())
        .map(|place| Slot {
            start: place.during.start(),
            end: place.during.end(),
            seats_left: place.seats_left,
        })
        .collect()
}

/// The instant (excluded) until which `slots`, computed at `now`, stay valid without a write. Time alone changes them
/// when the first one falls below the notice, when a hold ends, and at local midnight, when the horizon moves.
#[must_use]
pub fn unchanged_until(
    calendar: &Calendar,
    rules: &ServiceRules,
    slots: &[Slot],
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let midnight = day_start(calendar.zone, after_date(local_date(calendar.zone, now)));
    let notice = TimeDelta::minutes(i64::from(rules.min_notice_min));
    // Limits are inclusive: at this instant the slot can still be booked.
    let too_soon = slots.first().map(|slot| slot.start - notice + TimeDelta::microseconds(1));
    let releases = calendar.busy.first_release.into_iter().chain(calendar.resources.first_release());
    too_soon.into_iter().chain(releases).fold(midnight, DateTime::min)
}

/// The `count` starts nearest to the wanted one, in order of time. Of two equally near starts, the earlier is chosen.
#[must_use]
pub fn nearest(
    starts: impl IntoIterator<Item = DateTime<Utc>>,
    wanted: DateTime<Utc>,
    count: usize,
) -> Vec<DateTime<Utc>> {
    let mut starts: Vec<_> = starts.into_iter().collect();
    starts.sort_unstable_by_key(|start| ((*start - wanted).abs(), *start));
    starts.dedup();
    starts.truncate(count);
    starts.sort_unstable();
    starts
}
