use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::resources;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("removeResourceOutage", Access::ADMIN).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct RemoveOutage;

#[OpenApi]
impl RemoveOutage {
    /// Put a resource into service again
    #[oai(
        path = "/v1/resources/:id/outages/:outage_id",
        method = "delete",
        operation_id = "removeResourceOutage",
        tag = "Tag::Catalogue"
    )]
    async fn remove_outage(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The resource.
        id: Path<Uuid>,
        /// The outage.
        outage_id: Path<Uuid>,
    ) -> Result<NoContent, Problem> {
        resources::remove_outage(&state.core, id.0, outage_id.0).await?;
        Ok(NoContent)
    }
}
