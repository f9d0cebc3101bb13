//! A sandbox has a test clock: time moves ahead on request, and what falls due on the way runs at its own time, with the
//! api and the workers as they are. The clock is stored in the database, so that all processes follow it.

mod advance;
mod clock;
mod due;

pub use advance::{Moved, advance, read};
pub use clock::{ClockError, follow_clock, start_clock};
pub use due::Due;
