use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::users::{self, PasswordChange};

use crate::{
    auth::{Caller, Verified, password_rules},
    contract::{Access, Operation},
    endpoints::{
        Tag,
        auth::{NewRefreshToken, Password, SessionTokens},
    },
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    throttle::{Allowance, Policy},
};

/// A new password, and the current one.
#[derive(Debug, Object)]
pub struct PasswordChangeRequest {
    /// The current password.
    current_password: Password,
    /// The new one: 8 to 128 characters, not common in breaches.
    password: Password,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("changePassword", Access::ACCOUNT)
    .problems(&[Code::InvalidCredentials, Code::Unprocessable, Code::Overloaded])
    .limits(Policy::PASSWORD);

#[derive(Default)]
pub struct ChangePassword;

#[OpenApi]
impl ChangePassword {
    /// Change your password
    ///
    /// Ends all sessions of your account and returns a new one. Earlier mailed links that set a password become void.
    #[oai(path = "/v1/me/password", method = "post", operation_id = "changePassword", tag = "Tag::Me")]
    async fn change_password(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        allowance: Allowance,
        body: Body<PasswordChangeRequest>,
    ) -> Result<Found<SessionTokens>, Problem> {
        let PasswordChangeRequest { current_password, password } = body.0;
        let user_id = caller.user_id()?;
        let owner = users::password_owner(&state.core.pool, user_id).await?;
        let permit = allowance.for_password(&owner.email).await?;
        password_rules::check(&password.0, owner.email.as_str(), None)
            .map_err(|weak| weak.at("/password"))?;
        let old_hash = owner.password_hash;
        if state.passwords.verify(current_password.0, old_hash.clone(), permit).await? != Verified::Yes {
            return Err(Problem::new(Code::InvalidCredentials).detail("This is not the account's password."));
        }
        let new_hash = state.passwords.hash(password.0, permit).await?;
        let now = state.core.now();
        let token = NewRefreshToken::issue(state, now);
        let (hash, expires_at) = (token.hash(), token.expires_at);
        let wish = PasswordChange { user_id, old_hash, new_hash, token: hash, expires_at };
        let session = users::change_password(&state.core, wish).await?;
        Ok(Found::new(token.answer(state, &session, now)?))
    }
}
