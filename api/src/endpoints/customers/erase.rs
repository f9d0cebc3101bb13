use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::privacy;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("eraseCustomer", Access::STAFF).problems(&[
    Code::NotFound,
    Code::HasBookings,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct EraseCustomer;

#[OpenApi]
impl EraseCustomer {
    /// Erase a customer
    ///
    /// Erases the person, in all rows of the same account or address. Past bookings stay as taken time, without a name, an address, a phone number or a note; mails not yet sent are
    /// called off. This cannot be undone; one who is erased already stays so. While an appointment is to come nothing is
    /// erased: cancel it first. An account that the customer belongs to is its owner's to delete.
    #[oai(
        path = "/v1/customers/:id",
        method = "delete",
        operation_id = "eraseCustomer",
        tag = "Tag::Customers"
    )]
    async fn erase_customer(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The customer.
        id: Path<Uuid>,
    ) -> Result<NoContent, Problem> {
        privacy::erase_customer(&state.core, &caller.actor(), id.0).await?;
        Ok(NoContent)
    }
}
