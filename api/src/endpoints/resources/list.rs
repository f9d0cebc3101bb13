use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::resources;
use serde::Serialize;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::Resource,
};

/// Rooms and equipment.
#[derive(Debug, Object, Serialize)]
pub struct Resources {
    /// By kind and name, also those that are not active.
    #[oai(validator(max_items = 1000))]
    data: Vec<Resource>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listResources", Access::STAFF);

#[derive(Default)]
pub struct ListResources;

#[OpenApi]
impl ListResources {
    /// List rooms and equipment
    #[oai(path = "/v1/resources", method = "get", operation_id = "listResources", tag = "Tag::Catalogue")]
    async fn list_resources(&self, Data(state): Data<&Arc<State>>) -> Result<Found<Resources>, Problem> {
        let data = resources::list(&state.core).await?.into_iter().map(Resource).collect();
        Ok(Found::new(Resources { data }))
    }
}
