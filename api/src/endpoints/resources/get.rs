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
    views::Resource,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getResource", Access::STAFF).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetResource;

#[OpenApi]
impl GetResource {
    /// Get a room or a piece of equipment
    #[oai(path = "/v1/resources/:id", method = "get", operation_id = "getResource", tag = "Tag::Catalogue")]
    async fn get_resource(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The resource.
        id: Path<Uuid>,
    ) -> Result<Found<Resource>, Problem> {
        let resource = resources::get(&state.core, id.0).await?;
        let rev = resource.rev;
        Ok(Found::new(Resource(resource)).rev(rev))
    }
}
