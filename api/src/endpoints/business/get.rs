use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{pool::again_if_cut, settings};

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Business,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getBusiness", Access::Public).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetBusiness;

#[OpenApi]
impl GetBusiness {
    /// Get the business
    ///
    /// Name, address, time zone, language.
    #[oai(path = "/v1/business", method = "get", operation_id = "getBusiness", tag = "Tag::Catalogue")]
    async fn get_business(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
    ) -> Result<Found<Business>, Problem> {
        let business = again_if_cut(|| settings::get(&state.core.pool)).await?;
        let rev = business.rev;
        Ok(Found::new(Business::new(business, caller.actor().is_admin())).rev(rev))
    }
}
