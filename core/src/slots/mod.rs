//! Slots from the database: loads what the pure functions of [`crate::calendar`] need. The slot list, bookings, moves
//! and holds all load through [`calendars`], so they see the same calendar.

mod alternatives;
mod check;
mod list;
mod load;
mod loaded_calendars;
mod resources;
mod revisions;
mod snapshots;
mod stored;
mod terms;
mod visits;
mod warm_up;

pub use crate::services::MAX_STAFF;
pub use alternatives::alternatives;
pub(crate) use alternatives::{Displaced, replacements};
pub use check::{StaffAnswer, StartQuery, check_start};
pub use list::{DaySlots, MAX_DAYS, OfferedSlot, SlotList, SlotQuery, list};
pub use load::calendars;
pub(crate) use load::opening_hours;
pub use loaded_calendars::LoadedCalendars;
pub use revisions::Revisions;
pub use snapshots::{Page, Snapshots};
pub(crate) use stored::{iso_number, iso_weekday, minutes_to_store, stored_part, stored_time, stored_window};
pub(crate) use terms::terms_of;
pub use terms::{ServiceTerms, terms, terms_of_booking};
pub use visits::{
    MAX_SERVICES, VISIT_DAYS, VisitDay, VisitQuery, VisitService, VisitSlots, nearest_visits, visit_slots,
};
pub(crate) use visits::{VisitPlanner, require_services};
pub use warm_up::warm_up;

use crate::calendar::Refusal;
use crate::{BlockedBy, Error};

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::StartInPast => Self::StartInPast,
            Refusal::TooSoon => Self::TooSoon,
            Refusal::TooFar => Self::TooFar,
            Refusal::OutsideHours => Self::OutsideHours,
            Refusal::OffGrid => Self::OffGrid,
            Refusal::Taken => Self::slot_taken(),
            Refusal::ResourceTaken(blocker) => Self::SlotTaken {
                alternatives: Vec::new(),
                blocked_by: Some(BlockedBy::new(blocker.resource_id, blocker.any)),
            },
        }
    }
}
