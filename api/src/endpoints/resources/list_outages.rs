use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::resources;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Outage,
};

/// When a resource is out of service.
#[derive(Debug, Object, Serialize)]
pub struct Outages {
    /// By start; those that have ended are left out.
    #[oai(validator(max_items = 10000))]
    data: Vec<Outage>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("listResourceOutages", Access::STAFF).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListOutages;

#[OpenApi]
impl ListOutages {
    /// List when a resource is out of service
    #[oai(
        path = "/v1/resources/:id/outages",
        method = "get",
        operation_id = "listResourceOutages",
        tag = "Tag::Catalogue"
    )]
    async fn list_outages(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The resource.
        id: Path<Uuid>,
    ) -> Result<Found<Outages>, Problem> {
        let data = resources::outages(&state.core, id.0).await?.into_iter().map(Outage).collect();
        Ok(Found::new(Outages { data }))
    }
}
