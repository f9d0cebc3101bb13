//! `/m/{token}`: a booking, for the holder of its link.

mod calendar;
mod cancel;
mod linked;
mod note;
mod reminders;
mod reschedule;
mod show;

use linked::{appointment, holder, managed, shown};
use show::unchanged;

use super::{Page, appointment::Appointment, html, visit::Visit};

pub use calendar::Calendar;
pub use cancel::Cancel;
pub use note::Note;
pub use reminders::Reminders;
pub use reschedule::Move;
pub use show::Show;
