use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, types::MaybeUndefined};
use punctual_core::users::{self, UserPatch};

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::{Body, change},
        problem::{Code, Problem},
        reply::Found,
        values::{LanguageTag, Name, PhoneNumber, TimeZone},
    },
    state::State,
    views::Account,
};

/// Fields to change: an absent field is kept, null clears it.
#[derive(Debug, Object)]
pub struct AccountPatch {
    /// New name.
    name: Option<Name>,
    /// New phone number.
    #[oai(nullable)]
    phone: MaybeUndefined<PhoneNumber>,
    /// Language of mails; null: the business's.
    #[oai(nullable)]
    locale: MaybeUndefined<LanguageTag>,
    /// New time zone that mails name beside the business's; null: none.
    #[oai(nullable)]
    zone: MaybeUndefined<TimeZone>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("updateMe", Access::ACCOUNT).problems(&[Code::Unprocessable]);

#[derive(Default)]
pub struct UpdateMe;

#[OpenApi]
impl UpdateMe {
    /// Change your account
    ///
    /// Absent fields are kept. Earlier bookings keep their data.
    #[oai(path = "/v1/me", method = "patch", operation_id = "updateMe", tag = "Tag::Me")]
    async fn update_me(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        body: Body<AccountPatch>,
    ) -> Result<Found<Account>, Problem> {
        let AccountPatch { name, phone, locale, zone } = body.0;
        let patch = UserPatch {
            name: name.map(|name| name.0),
            phone: change(phone).map(|phone| phone.map(|phone| phone.0)),
            locale: change(locale).map(|locale| locale.and_then(|tag| tag.0.locale())),
            zone: change(zone).map(|zone| zone.map(|zone| zone.0)),
        };
        let user = users::update(&state.core.pool, state.core.now(), caller.user_id()?, &patch).await?;
        Ok(Found::new(Account::from(user)))
    }
}
