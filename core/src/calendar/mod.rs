//! The calendar of one member of staff as pure functions, without SQL and clock; instants and zones are parameters.
//!
//! The rules are written for users in `docs/time-rules.md`. The list of slots, the booking, the move and the hold all
//! call [`is_bookable`], so exactly the offered slots can be booked.

mod bookable;
mod busy;
mod civil;
mod classes;
mod group;
mod hours;
mod open_time;
mod recurrence;
mod reminder;
mod resources;
mod slots;
mod span;
mod timetable;
mod visit;
mod week;

#[cfg(test)]
mod tests;

pub use bookable::{Limits, Place, Refusal, is_bookable, last_bookable_date, out_of_reach};
pub use busy::{Busy, Seats};
pub use civil::{
    CivilTime, CivilTimeError, LocalInstants, after_date, day_start, local_date, local_to_instants,
};
pub use classes::{PlannedClass, planned_classes};
pub use group::class_id;
pub use hours::{Calendar, DayWindow, DayWindowError, OpenWindow, WeeklyWindow, dates_needed, open_windows};
pub use open_time::{BookedTime, open_spans};
pub use recurrence::{Every, moved_occurrence, occurrences};
pub use reminder::{ReminderRule, reminder_due, reminder_expires};
pub use resources::{Blocker, BusyResources, Chosen, MAX_NEEDS, Need};
pub use slots::{Slot, nearest, slots, unchanged_until};
pub use span::Span;
pub use timetable::{ClassDate, ClassLength, Timetable, WeeklyClass};
pub use visit::{NoPlace, Performer, Placed, Step, plan_visit};
pub use week::{Overlap, overlap_of_day, overlap_of_week};

use uuid::Uuid;

/// The rules of a service that limit its starts. All durations are elapsed minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRules {
    /// The service's id.
    pub service_id: Uuid,
    /// Duration of the appointment.
    pub duration_min: u32,
    /// Minutes between two starts, counted from the opening of each window; at least 1.
    pub slot_step_min: u32,
    /// Minutes kept free before the appointment; may lie outside open hours.
    pub buffer_before_min: u32,
    /// Minutes kept free after the appointment; may lie outside open hours.
    pub buffer_after_min: u32,
    /// Seats of one class; 1 is a one-to-one service.
    pub capacity: u32,
    /// Whether it has a timetable: then it starts when a planned class does, and at no other time.
    pub timetabled: bool,
    /// Least minutes between booking and start, inclusive.
    pub min_notice_min: u32,
    /// Civil days after today that can be booked, inclusive; 0 is today only.
    pub horizon_days: u32,
    /// Rooms and equipment that it needs.
    pub needs: Vec<Need>,
}
