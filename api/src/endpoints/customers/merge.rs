use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::customers;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Customer,
};

/// The duplicate to merge.
#[derive(Debug, Object)]
pub struct MergeRequest {
    /// The duplicate: its bookings move to the customer in the path, and it is removed.
    duplicate_id: Uuid,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("mergeCustomers", Access::STAFF).problems(&[
    Code::NotFound,
    Code::Unprocessable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct MergeCustomers;

#[OpenApi]
impl MergeCustomers {
    /// Merge a duplicate into a customer
    ///
    /// For one person who is two customers. Bookings keep the name and phone number they were made with. An address or phone
    /// number that the customer lacks is taken from the duplicate, and the notes are joined.
    #[oai(
        path = "/v1/customers/:id/merge",
        method = "post",
        operation_id = "mergeCustomers",
        tag = "Tag::Customers"
    )]
    async fn merge_customers(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The customer that stays.
        id: Path<Uuid>,
        body: Body<MergeRequest>,
    ) -> Result<Found<Customer>, Problem> {
        let customer = customers::merge(&state.core, &caller.actor(), id.0, body.0.duplicate_id).await?;
        Ok(Found::new(Customer::from(customer)))
    }
}
