//! Whether the windows of a week or a day overlap each other.

use chrono::Weekday;

use super::{CivilTime, DayWindow, WeeklyWindow};

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;

/// Two overlapping windows, as indexes into the given list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// The one that opens first.
    pub first: usize,
    /// The one that opens before the first has closed.
    pub second: usize,
}

/// The first pair of windows of a week that overlap on a usual week, Sunday's spill into Monday included. Windows
/// that touch do not overlap.
#[must_use]
pub fn overlap_of_week(windows: &[WeeklyWindow]) -> Option<Overlap> {
    let mut placed: Vec<(u32, u32, usize)> = windows
        .iter()
        .enumerate()
        .map(|(index, weekly)| {
            let opens = opening_in_week(weekly.weekday, weekly.window.opens());
            (opens, opens + u32::from(weekly.window.minutes()), index)
        })
        .collect();
    placed.sort_unstable();
    let within = pair_that_overlaps(&placed);
    let (&(opens, _, first), &(_, closes, last)) = (placed.first()?, placed.last()?);
    within.or_else(|| {
        (first != last && closes > WEEK + opens).then_some(Overlap { first: last, second: first })
    })
}

/// The first pair of windows of one date that overlap; windows that touch do not.
#[must_use]
pub fn overlap_of_day(windows: &[DayWindow]) -> Option<Overlap> {
    let mut placed: Vec<(u32, u32, usize)> = windows
        .iter()
        .enumerate()
        .map(|(index, window)| {
            let opens = u32::from(window.opens().minutes());
            (opens, opens + u32::from(window.minutes()), index)
        })
        .collect();
    placed.sort_unstable();
    pair_that_overlaps(&placed)
}

fn opening_in_week(weekday: Weekday, opens: CivilTime) -> u32 {
    weekday.num_days_from_monday() * DAY + u32::from(opens.minutes())
}

fn pair_that_overlaps(placed: &[(u32, u32, usize)]) -> Option<Overlap> {
    placed
        .windows(2)
        .find(|pair| pair[0].1 > pair[1].0)
        .map(|pair| Overlap { first: pair[0].2, second: pair[1].2 })
}
