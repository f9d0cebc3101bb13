use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{links::Purpose, users};

use super::password::Password;
use crate::{
    auth::password_rules,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
    throttle::{Allowance, Policy},
};

/// A new password with the token of the mailed link.
#[derive(Object)]
pub struct NewPassword {
    /// The last part of the link in the mail.
    #[oai(validator(min_length = 1, max_length = 200))]
    token: String,
    /// The new password: 8 to 128 characters, not common in breaches.
    password: Password,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("confirmPasswordReset", Access::Public)
    .problems(&[Code::LinkVoid, Code::Unprocessable, Code::Overloaded])
    .limits(&[Policy::ResetAddress]);

#[derive(Default)]
pub struct ConfirmPasswordReset;

#[OpenApi]
impl ConfirmPasswordReset {
    /// Set a new password
    ///
    /// Sets the password of the account that the link was mailed to, and ends all its sessions. The link also verifies
    /// the address.
    #[oai(
        path = "/v1/auth/password-reset/confirm",
        method = "post",
        operation_id = "confirmPasswordReset",
        tag = "Tag::Auth"
    )]
    async fn confirm_password_reset(
        &self,
        Data(state): Data<&Arc<State>>,
        allowance: Allowance,
        body: Body<NewPassword>,
    ) -> Result<NoContent, Problem> {
        let NewPassword { token, password } = body.0;
        let (core, keys) = (&state.core, &state.links);
        // Hashing is expensive: an invalid token is refused before.
        let account =
            users::linked_account(&core.pool, core.now(), keys, Purpose::SetPassword, &token).await?;
        password_rules::check(&password.0, account.email.as_str(), Some(account.name.as_str()))
            .map_err(|weak| weak.at("/password"))?;
        let permit = allowance.for_new_password(&account.email);
        let hash = state.passwords.hash(password.0, permit).await?;
        users::set_password_by_link(core, keys, &token, hash).await?;
        Ok(NoContent)
    }
}
