//! `/d/{token}`: a pending booking, for the recipient of its `staff_pending` mail.

mod confirm;
mod decline;
mod show;

use poem::Response;
use punctual_core::{
    Error,
    bookings::{self, Decision},
    links::{Link, Purpose},
};
use serde::Serialize;

use super::{Page, appointment::Appointment, html, visit::Visit};
use crate::http::problem::Problem;

pub use confirm::Confirm;
pub use decline::Decline;
pub use show::Show;

/// The customer's data for staff.
#[derive(Serialize)]
struct Customer {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    /// The phone number as a `tel:` URI takes it (RFC 3966).
    phone_digits: String,
    note: String,
}

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    appointment: Appointment,
    customer: Customer,
    /// Relative path of the booking's page.
    base: String,
    notice: Option<&'static str>,
    /// ARIA role: `status` for success, `alert` for errors.
    notice_role: &'static str,
    is_open: bool,
}

/// The booking of the visit's link.
async fn decided(visit: &Visit) -> Result<Decision, Problem> {
    let Link { id, epoch, .. } = visit.link(Purpose::Decide)?;
    Ok(bookings::decision(&visit.state.core, id, epoch).await?)
}

fn facts(decided: &Decision, base: String) -> Facts {
    let Decision { booking, business, locale, .. } = decided;
    let customer = booking.customer.as_ref();
    let phone = customer.and_then(|customer| Some(customer.phone.as_ref()?.as_str().to_owned()));
    let is_digit = |c: &char| c.is_ascii_digit() || *c == '+';
    Facts {
        appointment: Appointment::new(booking, business, *locale, None),
        customer: Customer {
            name: customer.and_then(|customer| Some(customer.name.as_ref()?.as_str().to_owned())),
            email: customer.and_then(|customer| Some(customer.email.as_ref()?.as_str().to_owned())),
            phone_digits: phone.iter().flat_map(|phone| phone.chars()).filter(is_digit).collect(),
            phone,
            note: booking.customer_note.as_str().trim().to_owned(),
        },
        base,
        notice: None,
        notice_role: "status",
        is_open: decided.is_open,
    }
}

/// After a refused decision: the booking's current state and the reason. Other errors are returned.
async fn unchanged(visit: &Visit, error: Error) -> Result<Response, Problem> {
    let notice = match error {
        Error::RevMismatch { .. } => "notice_stale",
        Error::InvalidTransition { .. } => "notice_not_possible",
        error => return Err(error.into()),
    };
    let status = Problem::from(error).code.status();
    let decided = decided(visit).await?;
    let facts = facts(&decided, format!("../{}", visit.token));
    let facts = Facts { notice: Some(notice), notice_role: "alert", ..facts };
    html::page(status, "decide.html.j2", decided.locale, &facts)
}
