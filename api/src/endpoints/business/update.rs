use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header, types::MaybeUndefined};
use punctual_core::{
    hours::Changed,
    settings::{self, BusinessPatch},
};
use serde::Serialize;

use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::{Body, change},
        etag,
        problem::{Code, Problem},
        reply::Found,
        values::{AddressText, Colour, CountryCode, CurrencyCode, Email, LabelText, PhoneNumber, TimeZone},
    },
    state::State,
    views::{Business, Language, StrandedBooking},
};

/// Fields to change: an absent field is kept, null clears it.
#[derive(Debug, Object)]
#[oai(rename = "BusinessPatch")]
pub struct BusinessPatchRequest {
    /// Its name.
    name: Option<LabelText>,
    /// Postal address; empty: none is shown.
    address: Option<AddressText>,
    /// Phone number; null: none.
    #[oai(nullable)]
    phone: MaybeUndefined<PhoneNumber>,
    /// Reply-To address of mails.
    reply_to: Option<Email>,
    /// Sender address of mails; the mail server must accept it.
    sender: Option<Email>,
    /// Address of mails about new, moved and cancelled bookings; null: none.
    #[oai(nullable)]
    notify_address: MaybeUndefined<Email>,
    /// Currency of all prices. Amounts are not converted; bookings keep their currency.
    currency: Option<CurrencyCode>,
    /// Time zone of opening hours and civil dates. Bookings keep their instants; hours are read in the new zone.
    zone: Option<TimeZone>,
    /// Default language of mails.
    locale: Option<Language>,
    /// Whether a booking can be made without an account.
    guests_allowed: Option<bool>,
    /// Days after the last appointment until a customer is erased; null: never.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "36500")))]
    retention_days: MaybeUndefined<u16>,
    /// Colour of buttons and links on pages; null: the default.
    #[oai(nullable)]
    accent_colour: MaybeUndefined<Colour>,
    /// Country in which phone numbers without a country code are read; null: they stay as written.
    #[oai(nullable)]
    country: MaybeUndefined<CountryCode>,
}

/// The business, and bookings that no longer fit after its change.
#[derive(Debug, Object, Serialize)]
pub struct BusinessChanged {
    /// The business.
    business: Business,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("updateBusiness", Access::ADMIN)
    .problems(&[Code::NotFound, Code::PreconditionFailed, Code::PreconditionRequired, Code::Overloaded])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateBusiness;

#[OpenApi]
impl UpdateBusiness {
    /// Change the business
    ///
    /// With another time zone the same opening hours are at other instants: the answer lists bookings that no longer fit;
    /// they are not changed.
    #[oai(path = "/v1/business", method = "patch", operation_id = "updateBusiness", tag = "Tag::Catalogue")]
    async fn update_business(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<BusinessPatchRequest>,
    ) -> Result<Found<BusinessChanged>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let changed = settings::update(&state.core, expected, body.0.into_core()).await?;
        let rev = changed.value.rev;
        Ok(Found::new(BusinessChanged::from(changed)).rev(rev))
    }
}

impl From<Changed<settings::Business>> for BusinessChanged {
    fn from(changed: Changed<settings::Business>) -> Self {
        Self {
            business: Business::new(changed.value, true),
            stranded: changed.stranded.into_iter().map(StrandedBooking::from).collect(),
        }
    }
}

impl BusinessPatchRequest {
    fn into_core(self) -> BusinessPatch {
        BusinessPatch {
            name: self.name.map(|name| name.0),
            address: self.address.map(|address| address.0),
            phone: change(self.phone).map(|phone| phone.map(|phone| phone.0)),
            reply_to: self.reply_to.map(|address| address.0),
            sender: self.sender.map(|address| address.0),
            notify_address: change(self.notify_address).map(|address| address.map(|address| address.0)),
            currency: self.currency.map(|currency| currency.0),
            zone: self.zone.map(|zone| zone.0),
            locale: self.locale.map(Into::into),
            guests_allowed: self.guests_allowed,
            retention_days: change(self.retention_days),
            accent_colour: change(self.accent_colour).map(|colour| colour.map(|colour| colour.0)),
            country: change(self.country).map(|country| country.map(|country| country.0)),
        }
    }
}
