use chrono::{DateTime, FixedOffset, NaiveDate};
use poem_openapi::Object;
use punctual_core::slots::{DaySlots, OfferedSlot, SlotList};
use serde::Serialize;
use uuid::Uuid;

use crate::http::values::TimeZone;

/// Free slots by date.
#[derive(Debug, Object, Serialize)]
pub struct Slots {
    /// The business's time zone, whose dates these are.
    pub tz: TimeZone,
    /// Every date that was asked for, in order.
    #[oai(validator(min_items = 1, max_items = 31))]
    pub days: Vec<Day>,
}

/// The free slots that start on one date.
#[derive(Debug, Object, Serialize)]
pub struct Day {
    /// The date.
    pub date: NaiveDate,
    /// Its slots by start; empty when there are none.
    #[oai(validator(max_items = 1000))]
    pub slots: Vec<Slot>,
}

/// A start that can be booked.
#[derive(Debug, Object, Serialize)]
pub struct Slot {
    /// When it starts, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// When it ends.
    pub end: DateTime<FixedOffset>,
    /// Who can perform it.
    #[oai(validator(min_items = 1, max_items = 50))]
    pub staff_ids: Vec<Uuid>,
    /// How many bookings can still be made at this start.
    #[oai(validator(minimum(value = "1")))]
    pub seats_left: u32,
}

impl From<SlotList> for Slots {
    fn from(list: SlotList) -> Self {
        let slot = |slot: OfferedSlot| Slot {
            start: slot.start,
            end: slot.end,
            staff_ids: slot.staff_ids,
            seats_left: slot.seats_left,
        };
        let day = |day: DaySlots| Day { date: day.date, slots: day.slots.into_iter().map(slot).collect() };
        Self { tz: TimeZone(list.tz), days: list.days.into_iter().map(day).collect() }
    }
}
