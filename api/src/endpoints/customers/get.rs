use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{customers, pool::again_if_cut};
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
    views::Customer,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getCustomer", Access::STAFF).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetCustomer;

#[OpenApi]
impl GetCustomer {
    /// Get a customer
    ///
    /// One customer, as `GET /v1/customers` lists them.
    #[oai(path = "/v1/customers/:id", method = "get", operation_id = "getCustomer", tag = "Tag::Customers")]
    async fn get_customer(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The customer.
        id: Path<Uuid>,
    ) -> Result<Found<Customer>, Problem> {
        let actor = caller.actor();
        let customer = again_if_cut(|| customers::get(&state.core.pool, &actor, id.0)).await?;
        let rev = customer.rev;
        Ok(Found::new(Customer::from(customer)).rev(rev))
    }
}
