//! The booking of a link.

use punctual_core::{
    bookings::{self, Managed},
    links::{Link, Purpose},
    types::Actor,
};

use crate::{
    http::problem::Problem,
    pages::{appointment::Appointment, html::PageOptions, visit::Visit},
};

/// The booking of the visit's link.
pub(super) async fn managed(visit: &Visit) -> Result<Managed, Problem> {
    let Link { id, epoch, .. } = visit.link(Purpose::Manage)?;
    Ok(bookings::managed(&visit.state.core, id, epoch).await?)
}

/// The booking for the pages.
pub(super) fn appointment(managed: &Managed) -> Appointment {
    Appointment::new(&managed.booking, &managed.business, managed.locale, managed.customer_zone)
}

/// Page options of this booking.
pub(super) fn shown(managed: &Managed) -> PageOptions<'static> {
    PageOptions { accent: managed.business.accent_colour, ..PageOptions::default() }
}

/// The actor: the holder of this booking's link.
pub(super) const fn holder(managed: &Managed) -> Actor {
    Actor::Link { booking_id: managed.booking.id }
}
