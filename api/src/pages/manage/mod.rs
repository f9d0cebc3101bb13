//! `/m/{token}`: a booking, for whoever has its link.

mod cancel;
mod reschedule;
mod show;

use poem::Response;
use punctual_core::{
    Error,
    bookings::{self, Managed},
    links::{Link, Purpose},
    types::Actor,
};

use super::{Page, appointment::Appointment, html, visit::Visit};
use crate::http::problem::Problem;

pub use cancel::Cancel;
pub use reschedule::Move;
pub use show::Show;

/// The booking of the visit's link.
async fn managed(visit: &Visit) -> Result<Managed, Problem> {
    let Link { id, epoch, .. } = visit.link(Purpose::Manage)?;
    Ok(bookings::managed(&visit.state.core, id, epoch).await?)
}

/// The booking as the pages show it.
fn appointment(managed: &Managed) -> Appointment {
    Appointment::new(&managed.booking, &managed.business, managed.locale, managed.customer_zone)
}

/// Who has the link of this booking.
const fn holder(managed: &Managed) -> Actor {
    Actor::Link { booking_id: managed.booking.id }
}

/// After a change that cannot be made: the booking as it stands now, and why. Other errors stay what they are.
async fn unchanged(visit: &Visit, error: Error) -> Result<Response, Problem> {
    let notice = match error {
        Error::RevMismatch { .. } => "notice_stale",
        Error::InvalidTransition { .. } => "notice_not_possible",
        Error::NoticePassed => "notice_too_late",
        error => return Err(error.into()),
    };
    let status = Problem::from(error).code.status();
    let base = format!("../{}", visit.token);
    show::render(visit, &managed(visit).await?, status, base, Some((notice, "alert")))
}
