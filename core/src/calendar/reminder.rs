//! When reminders are due (time rule 6).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::civil::minus_days;
use super::{CivilTime, local_date, local_to_instants};
use crate::types::Zone;

/// A reminder rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReminderRule {
    /// Elapsed minutes before the start.
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

/// When the reminder of a booking that starts at `start` falls due. In a gap: at its end; in a repeated hour: the first
/// occurrence.
#[must_use]
pub fn reminder_due(rule: ReminderRule, start: DateTime<Utc>, zone: Zone) -> DateTime<Utc> {
    match rule {
        ReminderRule::Offset { minutes } => start - TimeDelta::minutes(i64::from(minutes)),
        ReminderRule::DayBeforeAt { at } => {
            local_to_instants(zone, at.on(minus_days(local_date(zone, start), 1))).first
        }
    }
}

/// When a reminder expires: min(30 min, half of start − due) before the start.
#[must_use]
pub fn reminder_expires(due: DateTime<Utc>, start: DateTime<Utc>) -> DateTime<Utc> {
    start - TimeDelta::minutes(30).min((start - due) / 2)
}
