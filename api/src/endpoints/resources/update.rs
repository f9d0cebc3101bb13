use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::resources::{self, ResourcePatch};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{body::Body, etag, problem::Problem, reply::Found, values::LabelText},
    state::State,
    views::{Resource, StrandedBooking},
};

/// What to change: a field that is absent stays.
#[derive(Debug, Object)]
pub struct ResourcePatchRequest {
    /// New name, for staff.
    name: Option<LabelText>,
    /// What it is.
    kind: Option<LabelText>,
    /// Whether new bookings get it.
    active: Option<bool>,
}

/// The resource after the change, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct ResourceChanged {
    /// The resource.
    resource: Resource,
    /// Bookings that no longer fit. They are not changed; staff decide about them.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("updateResource", Access::ADMIN).problems(problems::EDIT).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateResource;

#[OpenApi]
impl UpdateResource {
    /// Change a room or a piece of equipment
    ///
    /// Deactivating a resource does not change its future bookings; the answer lists them. A move gives them another resource.
    #[oai(
        path = "/v1/resources/:id",
        method = "patch",
        operation_id = "updateResource",
        tag = "Tag::Catalogue"
    )]
    async fn update_resource(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The resource.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<ResourcePatchRequest>,
    ) -> Result<Found<ResourceChanged>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let ResourcePatchRequest { name, kind, active } = body.0;
        let patch = ResourcePatch { name: name.map(|name| name.0), kind: kind.map(|kind| kind.0), active };
        let changed = resources::update(&state.core, id.0, expected, patch).await?;
        let rev = changed.value.rev;
        let stranded = changed.stranded.into_iter().map(StrandedBooking::from).collect();
        Ok(Found::new(ResourceChanged { resource: Resource(changed.value), stranded }).rev(rev))
    }
}
