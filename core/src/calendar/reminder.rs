//! When reminders fall due (time rules 5 and 7).

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::civil::minus_days;
use super::{CivilTime, local_date, local_to_instants};

/// When to remind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReminderRule {
    /// So many elapsed minutes before the start.
    Offset {
        /// 1 to 43200 (30 days).
        minutes: u32,
    },
    /// At a wall-clock time on the civil day before the start's.
    DayBeforeAt {
        /// `00:00` to `23:59`, in the business's zone.
        at: CivilTime,
    },
}

/// A reminder's place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    /// When it falls due.
    pub due: DateTime<Utc>,
    /// From this instant on it is of no use: min(30 min, half of start − due) before the start.
    pub expires: DateTime<Utc>,
    /// It was due before the booking was made: it is never sent.
    pub too_late: bool,
}

/// When the reminder of a booking that starts at `start` falls due. In a gap: at the leap; where a reading occurs
/// twice: the first time.
#[must_use]
pub fn reminder_due(rule: ReminderRule, start: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    match rule {
        ReminderRule::Offset { minutes } => start - TimeDelta::minutes(i64::from(minutes)),
        ReminderRule::DayBeforeAt { at } => {
            local_to_instants(zone, at.on(minus_days(local_date(zone, start), 1))).first
        }
    }
}

/// The reminder by that rule of a booking made (or moved, or confirmed) at `made`.
#[must_use]
pub fn plan_reminder(rule: ReminderRule, start: DateTime<Utc>, zone: Tz, made: DateTime<Utc>) -> Reminder {
    let due = reminder_due(rule, start, zone);
    let grace = TimeDelta::minutes(30).min((start - due) / 2);
    Reminder { due, expires: start - grace, too_late: due < made }
}
