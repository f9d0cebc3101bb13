//! Rooms and equipment in the document.

use chrono::{DateTime, FixedOffset, Utc};
use poem_openapi::Object;
use punctual_core::resources;
use serde::Serialize;
use uuid::Uuid;

use super::described::described;
use crate::http::values::{LabelText, ReasonText};

described! {
    /// A resource of core, as it serialises.
    Resource(resources::Resource) by ResourceObject
}
described! {
    /// An outage of core, as it serialises.
    Outage(resources::Outage) by OutageObject
}

/// A room or a piece of equipment.
#[derive(Debug, Object)]
#[oai(rename = "Resource")]
pub struct ResourceObject {
    /// Its id.
    pub id: Uuid,
    /// Name, for staff.
    pub name: LabelText,
    /// What it is: a service can need any one of a kind.
    pub kind: LabelText,
    /// Whether new bookings get it.
    pub active: bool,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// A time at which a resource is out of service.
#[derive(Debug, Object)]
#[oai(rename = "ResourceOutage")]
pub struct OutageObject {
    /// Its id.
    pub id: Uuid,
    /// The resource.
    pub resource_id: Uuid,
    /// From when, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// Until when, excluded.
    pub end: DateTime<FixedOffset>,
    /// Why, for staff.
    pub reason: ReasonText,
}

/// What a service needs, for as long as its booking blocks the member of staff.
#[derive(Debug, Object, Serialize)]
pub struct ServiceNeeds {
    /// These very resources.
    #[oai(validator(max_items = 5))]
    pub all: Vec<Uuid>,
    /// Any one of each of these kinds.
    #[oai(validator(max_items = 5))]
    pub any: Vec<LabelText>,
    /// The revision of the service, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
}

impl From<resources::ServiceNeeds> for ServiceNeeds {
    fn from(needs: resources::ServiceNeeds) -> Self {
        let any = needs.any.into_iter().map(LabelText).collect();
        Self { all: needs.all, any, rev: needs.rev.map_or(1, |rev| rev.0) }
    }
}
