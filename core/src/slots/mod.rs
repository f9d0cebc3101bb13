//! Slots from the database: loads what the pure [`crate::calendar`] needs and asks it. The list of slots, a booking,
//! a move and a hold all go through [`calendars`], so they see one calendar.

mod alternatives;
mod ask;
mod list;
mod load;
mod revisions;
mod snapshots;
mod stored;
mod terms;

pub use alternatives::alternatives;
pub use ask::{Answer, Ask, ask, candidates};
pub use list::{DaySlots, MAX_DAYS, OfferedSlot, SlotList, SlotQuery, list};
pub use load::calendars;
pub(crate) use load::opening_hours;
pub use revisions::Seen;
pub use snapshots::{Page, Snapshots};
pub(crate) use stored::{iso_number, iso_weekday, minutes_to_store, stored_window};
pub use terms::{MAX_STAFF, ServiceTerms, terms};

use crate::Error;
use crate::calendar::Refusal;

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::StartInPast => Self::StartInPast,
            Refusal::TooSoon => Self::TooSoon,
            Refusal::TooFar => Self::TooFar,
            Refusal::OutsideHours => Self::OutsideHours,
            Refusal::OffGrid => Self::OffGrid,
            Refusal::Taken => Self::SlotTaken { alternatives: Vec::new() },
        }
    }
}
