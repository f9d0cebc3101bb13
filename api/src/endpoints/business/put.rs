use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::{settings, types::Rev};

use super::update::BusinessChanged;
use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        etag,
        problem::{Code, Problem},
        reply::Found,
        values::{AddressText, Colour, CountryCode, CurrencyCode, Email, LabelText, PhoneNumber, TimeZone},
    },
    state::State,
    views::Language,
};

/// The whole business: an absent field is empty or unset afterwards.
#[derive(Debug, Object)]
pub struct BusinessRequest {
    /// Its name.
    name: LabelText,
    /// Postal address; absent: none is shown.
    address: Option<AddressText>,
    /// Phone number; absent: none.
    phone: Option<PhoneNumber>,
    /// Reply-To address of mails.
    reply_to: Email,
    /// Sender address of mails; the mail server must accept it.
    sender: Email,
    /// Address of mails about new, moved and cancelled bookings; absent: none.
    notify_address: Option<Email>,
    /// Currency of all prices.
    currency: CurrencyCode,
    /// Time zone of opening hours and civil dates.
    zone: TimeZone,
    /// Default language of mails.
    locale: Language,
    /// Whether a booking can be made without an account.
    guests_allowed: bool,
    /// Days after the last appointment until a customer is erased; absent: never.
    #[oai(validator(minimum(value = "1"), maximum(value = "36500")))]
    retention_days: Option<u16>,
    /// Colour of buttons and links on pages; absent: the default.
    accent_colour: Option<Colour>,
    /// Country in which phone numbers without a country code are read; absent: they stay as written.
    country: Option<CountryCode>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putBusiness", Access::ADMIN)
    .problems(&[Code::PreconditionFailed, Code::PreconditionRequired, Code::Overloaded])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct PutBusiness;

#[OpenApi]
impl PutBusiness {
    /// Set up the business
    ///
    /// The first step on an empty database; nothing can be booked before. Later it replaces the business as a whole. With
    /// another time zone the answer lists bookings that no longer fit; they are not changed.
    #[oai(path = "/v1/business", method = "put", operation_id = "putBusiness", tag = "Tag::Catalogue")]
    async fn put_business(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The `rev` you read, as an entity tag, or `*` for any; absent the first time.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<BusinessRequest>,
    ) -> Result<Found<BusinessChanged>, Problem> {
        let expected = if_match.0.as_deref().map(|field| etag::expected(Some(field))).transpose()?;
        let business = body.0.into_core(&state.public_url);
        let changed = settings::replace(&state.core, expected, business).await?;
        let rev = changed.value.rev;
        Ok(Found::new(BusinessChanged::from(changed)).rev(rev))
    }
}

impl BusinessRequest {
    fn into_core(self, public_url: &str) -> settings::Business {
        settings::Business {
            name: self.name.0.as_str().to_owned(),
            address: self.address.map_or_else(String::new, |address| address.0.as_str().to_owned()),
            phone: self.phone.map(|phone| phone.0),
            reply_to: self.reply_to.0,
            sender: self.sender.0,
            notify_address: self.notify_address.map(|address| address.0),
            currency: self.currency.0,
            zone: self.zone.0,
            locale: self.locale.into(),
            public_url: public_url.to_owned(),
            guests_allowed: self.guests_allowed,
            retention_days: self.retention_days,
            accent_colour: self.accent_colour.map(|colour| colour.0),
            rev: Rev(1),
            country: self.country.map(|country| country.0),
        }
    }
}
