//! What a problem says of a visit that does not fit.

use chrono::{DateTime, FixedOffset};
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

/// The service of a visit that has no place.
#[derive(Debug, Object, Serialize)]
pub struct VisitConflict {
    /// Its number in the visit, from 1.
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    pub no: u32,
    /// The service.
    pub service_id: Uuid,
    /// Why, as the code of a problem.
    #[oai(validator(max_length = 40))]
    pub code: String,
}

/// A start at which a whole visit fits.
#[derive(Debug, Object, Serialize)]
pub struct VisitStart {
    /// When its first service starts, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// When its last one ends.
    pub end: DateTime<FixedOffset>,
    /// Its services, in order.
    #[oai(validator(min_items = 1, max_items = 5))]
    pub services: Vec<VisitPart>,
}

/// A service of it.
#[derive(Debug, Object, Serialize)]
pub struct VisitPart {
    /// The service.
    pub service_id: Uuid,
    /// Who would perform it.
    pub staff_id: Uuid,
    /// When it starts.
    pub start: DateTime<FixedOffset>,
    /// When it ends.
    pub end: DateTime<FixedOffset>,
}

impl VisitConflict {
    /// The service without a place, and the starts at which the visit fits.
    pub(super) fn of(conflict: &punctual_core::VisitConflict) -> (Self, Vec<VisitStart>) {
        let no = u32::try_from(conflict.no).unwrap_or_default();
        let visits = conflict.alternatives.iter().cloned().map(VisitStart::from).collect();
        (Self { no, service_id: conflict.service_id, code: conflict.code.to_owned() }, visits)
    }
}

impl From<punctual_core::VisitSlot> for VisitStart {
    fn from(slot: punctual_core::VisitSlot) -> Self {
        let part = |part: punctual_core::VisitPart| VisitPart {
            service_id: part.service_id,
            staff_id: part.staff_id,
            start: part.start,
            end: part.end,
        };
        Self { start: slot.start, end: slot.end, services: slot.services.into_iter().map(part).collect() }
    }
}
