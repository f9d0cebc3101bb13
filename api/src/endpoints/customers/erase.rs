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
    /// Erases the person, in all rows of the same account or address. Past bookings stay as busy time, without name, address,
    /// phone number or note; unsent mails are cancelled. This cannot be undone. Nothing is erased while there is a future
    /// appointment: cancel it first. Only the owner can delete the customer's account.
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
