use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{pool::again_if_cut, services};
use serde::Serialize;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Service,
};

/// The services by name.
#[derive(Debug, Object, Serialize)]
pub struct ServiceList {
    /// The services.
    #[oai(validator(max_items = 1000))]
    data: Vec<Service>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listServices", Access::Public).problems(&[Code::Forbidden]);

#[derive(Default)]
pub struct ListServices;

#[OpenApi]
impl ListServices {
    /// List services
    ///
    /// Services that can be booked.
    #[oai(path = "/v1/services", method = "get", operation_id = "listServices", tag = "Tag::Catalogue")]
    async fn list_services(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// For staff: also inactive ones.
        include_inactive: Query<Option<bool>>,
    ) -> Result<Found<ServiceList>, Problem> {
        let include_inactive = include_inactive.0.unwrap_or(false);
        if include_inactive && !caller.actor().is_staff() {
            return Err(Problem::new(Code::Forbidden).detail("include_inactive is for staff."));
        }
        let services = again_if_cut(|| services::list(&state.core, include_inactive)).await?;
        Ok(Found::new(ServiceList { data: services.into_iter().map(Service::from).collect() }))
    }
}
