use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::users::{self, NewUser};

use super::password::Password;
use crate::{
    auth::password_rules,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Created,
        values::{Email, LanguageTag, Name, PhoneNumber, TimeZone},
    },
    state::State,
    throttle::{Allowance, Policy},
    views::Account,
};

/// A new account.
#[derive(Debug, Object)]
pub struct Registration {
    /// E-mail address: the login name and the address of mails about bookings.
    email: Email,
    /// Password of 8 to 128 characters, not common in breaches.
    password: Password,
    /// Name as the person writes it.
    name: Name,
    /// Phone number.
    phone: Option<PhoneNumber>,
    /// Language of mails; the business's when absent.
    locale: Option<LanguageTag>,
    /// Time zone that mails name beside the business's.
    zone: Option<TimeZone>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("register", Access::Public)
    .problems(&[Code::EmailTaken, Code::Unprocessable, Code::Overloaded])
    .headers(&[SuccessHeader::Location])
    .limits(&[Policy::RegisterAddress, Policy::RegisterEmail]);

#[derive(Default)]
pub struct Register;

#[OpenApi]
impl Register {
    /// Register a customer
    ///
    /// Creates a customer's account and mails a link that verifies its address. Log in afterwards.
    #[oai(path = "/v1/auth/register", method = "post", operation_id = "register", tag = "Tag::Auth")]
    async fn register(
        &self,
        Data(state): Data<&Arc<State>>,
        allowance: Allowance,
        body: Body<Registration>,
    ) -> Result<Created<Account>, Problem> {
        let Registration { email, password, name, phone, locale, zone } = body.0;
        if let Err(refusal) = allowance.for_email(&email.0).await {
            // The owner of an existing account gets to know about it; the limit counts new accounts only.
            let taken = users::find_for_login(&state.core.pool, &email.0).await?.is_some();
            return Err(if taken { Problem::new(Code::EmailTaken) } else { refusal });
        }
        password_rules::check(&password.0, email.0.as_str(), Some(name.0.as_str()))
            .map_err(|weak| weak.at("/password"))?;
        let permit = allowance.for_new_password(&email.0);
        let hash = state.passwords.hash(password.0, permit).await?;
        let user = NewUser {
            email: email.0,
            name: name.0,
            phone: phone.map(|phone| phone.0),
            locale: locale.and_then(|tag| tag.0.locale()),
            zone: zone.map(|zone| zone.0),
        };
        let user = users::register(&state.core, user, hash).await?;
        Ok(Created::new(Account::from(user)).location("/v1/me"))
    }
}
