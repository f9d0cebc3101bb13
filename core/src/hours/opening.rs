//! The business's opening hours: the weekly hours of its active staff together.

use chrono::Weekday;

use super::week::today;
use crate::calendar::CivilTime;
use crate::slots::iso_weekday;
use crate::{Core, Error, Result};

/// The opening hours of one weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDay {
    /// The day.
    pub weekday: Weekday,
    /// Opening and closing, sorted, not overlapping. A closing past midnight is smaller than its opening.
    pub windows: Vec<(CivilTime, CivilTime)>,
}

/// The weekly hours in force today of all active staff together, Monday to Sunday; a closed day has no windows.
pub async fn opening(core: &Core) -> Result<Vec<OpenDay>> {
    let db = &mut *core.pool.acquire().await?;
    let today = today(db, core.now()).await?;
    let rows = sqlx::query!(
        "SELECT weekday, start_min, end_min FROM weekly_hours JOIN staff ON staff.id = weekly_hours.staff_id
         WHERE staff.active AND weekly_hours.valid_from = coalesce(
             (SELECT max(l.valid_from) FROM later_weeks AS l WHERE l.staff_id = staff.id AND l.valid_from <= $1), '0001-01-01')
         ORDER BY weekday, start_min, end_min",
        today,
    )
    .fetch_all(db)
    .await?;
    (1..=7_i16)
        .map(|number| {
            let of_day = rows.iter().filter(|row| row.weekday == number);
            let windows = joined(of_day.map(|row| (row.start_min, row.end_min)));
            let time = |minutes: i16| {
                let minutes = u16::try_from(minutes).unwrap_or_default();
                let minutes = if minutes > 1440 { minutes - 1440 } else { minutes };
                CivilTime::from_minutes(minutes)
                    .map_err(|error| Error::internal("weekly_hours hold a bad value", error))
            };
            let windows = windows.into_iter().map(|(from, to)| Ok((time(from)?, time(to)?)));
            Ok(OpenDay { weekday: iso_weekday(number)?, windows: windows.collect::<Result<_>>()? })
        })
        .collect()
}

/// Windows by their start, in minutes; those that touch or overlap are one. An end past midnight counts on from 1440.
fn joined(windows: impl Iterator<Item = (i16, i16)>) -> Vec<(i16, i16)> {
    let mut joined: Vec<(i16, i16)> = Vec::new();
    for (from, to) in windows {
        let to = if to <= from { to + 1440 } else { to };
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn colleagues_who_follow_each_other_keep_the_business_open() {
        let joined = |windows: &[(i16, i16)]| joined(windows.iter().copied());
        assert_eq!(joined(&[(540, 750), (720, 960), (990, 1260)]), [(540, 960), (990, 1260)]);
        assert_eq!(joined(&[(540, 1080), (600, 660)]), [(540, 1080)]);
        assert_eq!(joined(&[(1320, 120)]), [(1320, 1560)], "past midnight");
        assert_eq!(joined(&[]), []);
    }
}
