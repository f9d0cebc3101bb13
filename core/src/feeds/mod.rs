//! Calendar feeds: one per member of staff, at a secret URL that can be renewed.

mod read;
mod renew;

pub use read::{CalendarEntry, Feed, entry, of_staff};
pub use renew::renew;
