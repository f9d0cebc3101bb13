//! `/m/{token}`: a booking, for the holder of its link.

mod cancel;
mod linked;
mod reschedule;
mod show;

use linked::{appointment, holder, managed};
use show::unchanged;

use super::{Page, appointment::Appointment, html, visit::Visit};

pub use cancel::Cancel;
pub use reschedule::Move;
pub use show::Show;
