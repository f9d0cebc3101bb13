use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::customers;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        etag,
        problem::{Code, Problem},
        reply::Found,
        values::Email,
    },
    state::State,
    views::Customer,
};

/// What to correct.
#[derive(Debug, Object)]
pub struct CustomerPatch {
    /// The address to which mails go from now on.
    email: Email,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("updateCustomer", Access::STAFF)
    .problems(&[Code::NotFound, Code::PreconditionFailed, Code::PreconditionRequired])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateCustomer;

#[OpenApi]
impl UpdateCustomer {
    /// Correct a customer's address
    ///
    /// Corrects it for the person, in all rows of the same account or address. Unsent mails go to the new address, those
    /// that failed can be sent again, and bookings to come are confirmed to it. Links in mails to the former address become
    /// void.
    #[oai(
        path = "/v1/customers/:id",
        method = "patch",
        operation_id = "updateCustomer",
        tag = "Tag::Customers"
    )]
    async fn update_customer(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The customer.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<CustomerPatch>,
    ) -> Result<Found<Customer>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let customer =
            customers::correct(&state.core, &caller.actor(), id.0, expected, &body.0.email.0).await?;
        let rev = customer.rev;
        Ok(Found::new(Customer::from(customer)).rev(rev))
    }
}
