//! The feed of changes, in an order in which no reader can miss an event.
//!
//! Each event carries the id of its transaction (`xid8`). The feed is ordered by that id and shows an event only when its
//! transaction and all with smaller ids have ended. So an event never appears before one that was already read, and a
//! reader that keeps its last [`Position`] sees every committed event exactly once.

mod event;
mod position;
mod read;
mod retention;

pub(crate) use event::public_id;
pub use event::{BookingState, Event, EventActor, EventType, Place, Subject};
pub use position::Position;
pub use read::{EventPage, head, lag, list};
pub(crate) use read::{Reference, after, by_references};
pub(crate) use retention::rebase;
pub use retention::remove_old;
