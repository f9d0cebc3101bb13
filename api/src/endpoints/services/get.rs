use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{Error, pool::again_if_cut, services};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Service,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getService", Access::Public).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetService;

#[OpenApi]
impl GetService {
    /// Get a service
    ///
    /// An inactive one is shown to staff only.
    #[oai(path = "/v1/services/:id", method = "get", operation_id = "getService", tag = "Tag::Catalogue")]
    async fn get_service(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The service.
        id: Path<Uuid>,
    ) -> Result<Found<Service>, Problem> {
        let service = again_if_cut(|| services::get(&state.core, id.0)).await?;
        if !service.spec.active && !caller.actor().is_staff() {
            return Err(Error::NotFound("service").into());
        }
        let rev = service.rev;
        Ok(Found::new(Service::from(service)).rev(rev))
    }
}
