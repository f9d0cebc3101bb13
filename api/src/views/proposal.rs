use poem_openapi::Object;
use punctual_core::bookings;
use serde::Serialize;

use super::Booking;
use crate::http::problem::AlternativeSlot;

/// A booking that no longer fits, with free slots for it.
#[derive(Debug, Object, Serialize)]
pub struct Proposal {
    /// The booking, with the customer's contact and the `rev` for a change.
    pub booking: Booking,
    /// Up to three free slots: the same start with others, later ones with the same member of staff, then the nearest.
    #[oai(validator(max_items = 3))]
    pub alternatives: Vec<AlternativeSlot>,
}

impl From<bookings::Proposal> for Proposal {
    fn from(proposal: bookings::Proposal) -> Self {
        Self {
            booking: proposal.booking.into(),
            alternatives: proposal.alternatives.into_iter().map(AlternativeSlot::from).collect(),
        }
    }
}
