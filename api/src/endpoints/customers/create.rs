use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::{
    customers::{self, Contact, NewCustomer},
    types::Note,
};

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::Body,
        problem::Problem,
        reply::Created,
        values::{Email, IdempotencyKey, LanguageTag, Name, NoteText, PhoneNumber, TimeZone},
    },
    state::State,
    views::Customer,
};

/// A new customer, with an e-mail address, a phone number, or both.
#[derive(Debug, Object)]
pub struct CustomerRequest {
    /// Name.
    name: Name,
    /// E-mail address; absent: no mails are sent.
    email: Option<Email>,
    /// Phone number.
    phone: Option<PhoneNumber>,
    /// A note of staff about the person, such as allergies; never in a mail.
    note: Option<NoteText>,
    /// Language of mails; the business's when absent.
    locale: Option<LanguageTag>,
    /// Time zone that mails name beside the business's.
    zone: Option<TimeZone>,
    /// Whether this is another person than the customer with the same address or number.
    new_customer: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createCustomer", Access::STAFF)
    .problems(problems::MAKE)
    .headers(&[SuccessHeader::Location, SuccessHeader::IdempotencyReplayed]);

#[derive(Default)]
pub struct CreateCustomer;

#[OpenApi]
impl CreateCustomer {
    /// Add a customer
    ///
    /// Without a booking. A customer who exists already (by address, or without one by name and phone number) is refused with
    /// `customer_exists`, unless `new_customer` marks another person.
    #[oai(path = "/v1/customers", method = "post", operation_id = "createCustomer", tag = "Tag::Customers")]
    async fn create_customer(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// A key of your choice, new for each object: repeating the request with it creates nothing twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<IdempotencyKey>>,
        body: Body<CustomerRequest>,
    ) -> Result<Created<Customer>, Problem> {
        let key = key.0.map(|key| key.parsed()).transpose()?;
        let answer =
            customers::create(&state.core, &caller.actor(), key.as_ref(), body.0.into_core()).await?;
        let path = format!("/v1/customers/{}", answer.value.id);
        Ok(Created::new(Customer::from(answer.value)).location(&path).replayed(answer.replayed))
    }
}

impl CustomerRequest {
    fn into_core(self) -> NewCustomer {
        NewCustomer {
            contact: Contact {
                email: self.email.map(|email| email.0),
                name: self.name.0,
                phone: self.phone.map(|phone| phone.0),
                locale: self.locale.and_then(|tag| tag.0.locale()),
                zone: self.zone.map(|zone| zone.0),
                separate: self.new_customer.unwrap_or(false),
            },
            note: self.note.map_or_else(Note::empty, |note| note.0),
        }
    }
}
