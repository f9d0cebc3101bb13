//! The fields of a service and their bounds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ServiceDisplay, ServiceText};
use crate::calendar::{CivilTime, ReminderRule};
use crate::types::{Label, Locale, Note, ParseError};
use crate::{Error, Result};

/// Most members of staff of one service; bounds the cost of a slot list.
pub const MAX_STAFF: usize = 50;

/// Most reminder rules of a service.
pub const MAX_REMINDERS: usize = 5;

/// The fields of a service that administrators set. Durations are elapsed minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Name shown to customers.
    pub name: Label,
    /// Plain text shown to customers, at most 2,000 characters.
    pub description: Note,
    /// Duration of the appointment, 5 to 1440.
    pub duration_min: u32,
    /// Minutes between two starts, counted from each window's opening, 5 to 1440.
    pub slot_step_min: u32,
    /// Minutes kept free before the appointment, at most 480.
    pub buffer_before_min: u32,
    /// Minutes kept free after the appointment, at most 480.
    pub buffer_after_min: u32,
    /// Seats of one class, 1 to 500; 1 is a one-to-one service.
    pub capacity: u32,
    /// Least minutes between booking and start, inclusive; at most a year.
    pub min_notice_min: u32,
    /// Civil days ahead that can be booked, inclusive, 1 to 730.
    pub horizon_days: u32,
    /// Customers may cancel until this many minutes before the start, inclusive; at most a year.
    pub cancel_notice_min: u32,
    /// Customers may move until this many minutes before the start, inclusive; at most a year.
    pub reschedule_notice_min: u32,
    /// Whether a booking is pending until staff confirm it.
    pub requires_confirmation: bool,
    /// Price in the minor unit of the business's currency, 0 to 1,000,000,000.
    pub price_minor: i64,
    /// Whether it takes new bookings.
    pub active: bool,
    /// Reminder rules; at most five, no duplicates.
    pub reminders: Vec<ReminderRule>,
    /// Staff who perform it; at most 50, no duplicates.
    pub staff_ids: Vec<Uuid>,
    /// How lists and pages show it.
    #[serde(default)]
    pub display: ServiceDisplay,
}

/// Fields to change; `None` keeps a field. Lists are replaced as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of ServiceSpec")]
pub struct ServicePatch {
    pub name: Option<Label>,
    pub description: Option<Note>,
    pub duration_min: Option<u32>,
    pub slot_step_min: Option<u32>,
    pub buffer_before_min: Option<u32>,
    pub buffer_after_min: Option<u32>,
    pub capacity: Option<u32>,
    pub min_notice_min: Option<u32>,
    pub horizon_days: Option<u32>,
    pub cancel_notice_min: Option<u32>,
    pub reschedule_notice_min: Option<u32>,
    pub requires_confirmation: Option<bool>,
    pub price_minor: Option<i64>,
    pub active: Option<bool>,
    pub reminders: Option<Vec<ReminderRule>>,
    pub staff_ids: Option<Vec<Uuid>>,
    #[expect(clippy::option_option, reason = "leave, remove and set are three cases")]
    pub category: Option<Option<Label>>,
    pub position: Option<u32>,
    pub translations: Option<BTreeMap<Locale, ServiceText>>,
}

impl ServicePatch {
    /// The properties after the change.
    #[must_use]
    pub(super) fn apply(&self, current: &ServiceSpec) -> ServiceSpec {
        let list = |new: &Option<Vec<Uuid>>, old: &Vec<Uuid>| new.clone().unwrap_or_else(|| old.clone());
        ServiceSpec {
            name: self.name.clone().unwrap_or_else(|| current.name.clone()),
            description: self.description.clone().unwrap_or_else(|| current.description.clone()),
            duration_min: self.duration_min.unwrap_or(current.duration_min),
            slot_step_min: self.slot_step_min.unwrap_or(current.slot_step_min),
            buffer_before_min: self.buffer_before_min.unwrap_or(current.buffer_before_min),
            buffer_after_min: self.buffer_after_min.unwrap_or(current.buffer_after_min),
            capacity: self.capacity.unwrap_or(current.capacity),
            min_notice_min: self.min_notice_min.unwrap_or(current.min_notice_min),
            horizon_days: self.horizon_days.unwrap_or(current.horizon_days),
            cancel_notice_min: self.cancel_notice_min.unwrap_or(current.cancel_notice_min),
            reschedule_notice_min: self.reschedule_notice_min.unwrap_or(current.reschedule_notice_min),
            requires_confirmation: self.requires_confirmation.unwrap_or(current.requires_confirmation),
            price_minor: self.price_minor.unwrap_or(current.price_minor),
            active: self.active.unwrap_or(current.active),
            reminders: self.reminders.clone().unwrap_or_else(|| current.reminders.clone()),
            staff_ids: list(&self.staff_ids, &current.staff_ids),
            display: ServiceDisplay {
                category: self.category.clone().unwrap_or_else(|| current.display.category.clone()),
                position: self.position.unwrap_or(current.display.position),
                translations: self
                    .translations
                    .clone()
                    .unwrap_or_else(|| current.display.translations.clone()),
            },
        }
    }
}

impl ServiceSpec {
    /// The texts that a page in this language shows.
    #[must_use]
    pub fn text(&self, locale: Locale) -> ServiceText {
        let category = self.display.category.clone();
        match self.display.translations.get(&locale) {
            Some(text) => ServiceText { category: text.category.clone().or(category), ..text.clone() },
            None => ServiceText { name: self.name.clone(), description: self.description.clone(), category },
        }
    }

    /// Refuses values out of bounds and duplicates.
    pub(super) fn check(&self) -> Result<()> {
        const YEAR: u32 = 365 * 24 * 60;
        within("/duration_min", self.duration_min, 5..=1440)?;
        within("/slot_step_min", self.slot_step_min, 5..=1440)?;
        within("/buffer_before_min", self.buffer_before_min, 0..=480)?;
        within("/buffer_after_min", self.buffer_after_min, 0..=480)?;
        within("/capacity", self.capacity, 1..=500)?;
        within("/min_notice_min", self.min_notice_min, 0..=YEAR)?;
        within("/horizon_days", self.horizon_days, 1..=730)?;
        within("/cancel_notice_min", self.cancel_notice_min, 0..=YEAR)?;
        within("/reschedule_notice_min", self.reschedule_notice_min, 0..=YEAR)?;
        within("/position", self.display.position, 0..=10_000)?;
        if !(0..=1_000_000_000).contains(&self.price_minor) {
            return Err(invalid("/price_minor", "out_of_range", "a price is 0 to 1,000,000,000"));
        }
        if self.reminders.len() > MAX_REMINDERS {
            return Err(invalid("/reminders", "too_many", "a service has at most five reminder rules"));
        }
        if has_duplicates(&self.reminders) {
            return Err(invalid("/reminders", "duplicate", "the same reminder rule twice"));
        }
        if !self.reminders.iter().copied().all(acceptable) {
            return Err(invalid(
                "/reminders",
                "out_of_range",
                "a rule reminds 1 to 43200 minutes before the start, or at 00:00 to 23:59 on the day before",
            ));
        }
        if self.staff_ids.len() > MAX_STAFF {
            return Err(invalid("/staff_ids", "too_many", "at most 50 can perform one service"));
        }
        if has_duplicates(&self.staff_ids) {
            return Err(invalid("/staff_ids", "duplicate", "the same member of staff twice"));
        }
        Ok(())
    }
}

fn acceptable(rule: ReminderRule) -> bool {
    match rule {
        ReminderRule::Offset { minutes } => (1..=43_200).contains(&minutes),
        ReminderRule::DayBeforeAt { at } => at < CivilTime::END_OF_DAY,
    }
}

fn within(pointer: &'static str, value: u32, range: std::ops::RangeInclusive<u32>) -> Result<()> {
    if range.contains(&value) {
        Ok(())
    } else {
        Err(invalid(pointer, "out_of_range", "out of the range that the documentation gives"))
    }
}

fn invalid(pointer: &'static str, code: &'static str, message: &'static str) -> Error {
    Error::Invalid { pointer, error: ParseError::new(code, message) }
}

fn has_duplicates<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(index, item)| list[..index].contains(item))
}
