use punctual_core::calendar;

use crate::{
    http::problem::{Fault, Place, Problem},
    views::{ReminderKind, ReminderRule},
};

/// Converts the rules to core's; reports every invalid one.
pub fn parse(rules: Vec<ReminderRule>) -> Result<Vec<calendar::ReminderRule>, Problem> {
    let mut parsed = Vec::with_capacity(rules.len());
    let mut faults = Vec::new();
    for (index, rule) in rules.into_iter().enumerate() {
        match (rule.kind, rule.minutes, rule.at) {
            (ReminderKind::Offset, Some(minutes), None) => {
                parsed.push(calendar::ReminderRule::Offset { minutes });
            }
            (ReminderKind::DayBeforeAt, None, Some(at)) => {
                parsed.push(calendar::ReminderRule::DayBeforeAt { at: at.0 });
            }
            (kind, ..) => faults.push(Fault {
                place: Place::Body,
                pointer: format!("/reminders/{index}"),
                code: "conflict",
                detail: match kind {
                    ReminderKind::Offset => "offset goes with minutes and nothing else",
                    ReminderKind::DayBeforeAt => "day_before_at goes with at and nothing else",
                }
                .into(),
            }),
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(Problem::invalid(faults)) }
}
