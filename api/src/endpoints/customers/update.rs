use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    types::MaybeUndefined,
};
use punctual_core::customers::{self, CustomerPatch};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::{Body, change},
        etag,
        problem::Problem,
        reply::Found,
        values::{Email, Name, NoteText, PhoneNumber},
    },
    state::State,
    views::Customer,
};

/// Fields to change: an absent field is kept, null clears it.
#[derive(Debug, Object)]
#[oai(rename = "CustomerPatch")]
pub struct CustomerPatchRequest {
    /// New address of mails.
    email: Option<Email>,
    /// Name. Bookings that were made with another name keep it.
    name: Option<Name>,
    /// Phone number; null: none, which is allowed only with an address.
    #[oai(nullable)]
    phone: MaybeUndefined<PhoneNumber>,
    /// A note of staff about the person, such as allergies; never in a mail.
    note: Option<NoteText>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("updateCustomer", Access::STAFF).problems(problems::EDIT).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateCustomer;

#[OpenApi]
impl UpdateCustomer {
    /// Change a customer
    ///
    /// An address is corrected in all rows of the same account or address. Unsent mails go to the new address, failed ones
    /// can be sent again, and future bookings are confirmed to it. Links in mails to the former address become void. For a
    /// customer who had no address, mails and reminders of future bookings begin.
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
        body: Body<CustomerPatchRequest>,
    ) -> Result<Found<Customer>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let CustomerPatchRequest { email, name, phone, note } = body.0;
        let patch = CustomerPatch {
            email: email.map(|email| email.0),
            name: name.map(|name| name.0),
            phone: change(phone).map(|phone| phone.map(|phone| phone.0)),
            note: note.map(|note| note.0),
        };
        let customer = customers::update(&state.core, &caller.actor(), id.0, expected, patch).await?;
        let rev = customer.rev;
        Ok(Found::new(Customer::from(customer)).rev(rev))
    }
}
