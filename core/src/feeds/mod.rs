//! Calendars to subscribe to: one for each member of staff, behind a secret address that its owner can renew.

mod read;
mod renew;

pub use read::{CalendarEntry, Feed, entry, of_staff};
pub use renew::renew;
