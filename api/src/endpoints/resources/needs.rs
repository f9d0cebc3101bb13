use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::resources;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::ServiceNeeds,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getServiceResources", Access::STAFF)
    .problems(&[Code::NotFound])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetServiceNeeds;

#[OpenApi]
impl GetServiceNeeds {
    /// Get the resources that a service needs
    #[oai(
        path = "/v1/services/:id/resources",
        method = "get",
        operation_id = "getServiceResources",
        tag = "Tag::Catalogue"
    )]
    async fn get_service_needs(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The service.
        id: Path<Uuid>,
    ) -> Result<Found<ServiceNeeds>, Problem> {
        let needs = resources::needs(&state.core, id.0).await?;
        let rev = needs.rev;
        let reply = Found::new(ServiceNeeds::from(needs));
        Ok(match rev {
            Some(rev) => reply.rev(rev),
            None => reply,
        })
    }
}
