use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::resources::{self, ServiceNeeds as Needs};
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{body::Body, etag, problem::Problem, reply::Found, values::LabelText},
    state::State,
    views::ServiceNeeds,
};

/// What a service needs, at most five in all; a list that is absent is empty.
#[derive(Debug, Object)]
pub struct ServiceNeedsRequest {
    /// These very resources.
    #[oai(validator(max_items = 5))]
    all: Option<Vec<Uuid>>,
    /// Any one of each of these kinds.
    #[oai(validator(max_items = 5))]
    any: Option<Vec<LabelText>>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putServiceResources", Access::ADMIN)
    .problems(problems::EDIT)
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct PutServiceNeeds;

#[OpenApi]
impl PutServiceNeeds {
    /// Say which resources a service needs
    ///
    /// Replaces the whole. A booking has them for as long as it blocks its member of staff, buffers included; slots in which one
    /// is missing are not offered. Existing bookings keep their resources until they are moved.
    #[oai(
        path = "/v1/services/:id/resources",
        method = "put",
        operation_id = "putServiceResources",
        tag = "Tag::Catalogue"
    )]
    async fn put_service_needs(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The service.
        id: Path<Uuid>,
        /// The `rev` of the service that you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<ServiceNeedsRequest>,
    ) -> Result<Found<ServiceNeeds>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let ServiceNeedsRequest { all, any } = body.0;
        let any = any.unwrap_or_default().into_iter().map(|kind| kind.0).collect();
        let needs = Needs { all: all.unwrap_or_default(), any, rev: None };
        let needs = resources::put_needs(&state.core, id.0, expected, needs).await?;
        let rev = needs.rev;
        let reply = Found::new(ServiceNeeds::from(needs));
        Ok(match rev {
            Some(rev) => reply.rev(rev),
            None => reply,
        })
    }
}
