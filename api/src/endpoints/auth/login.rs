use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{sessions, users};

use super::{
    password::Password,
    session::{NewRefreshToken, SessionTokens},
};
use crate::{
    auth::Verified,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Found,
        values::Email,
    },
    state::State,
    throttle::{Allowance, Policy},
};

/// A login.
#[derive(Debug, Object)]
pub struct Credentials {
    /// The account's e-mail address.
    email: Email,
    /// Its password.
    password: Password,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("login", Access::Public)
    .problems(&[Code::InvalidCredentials, Code::Overloaded])
    .limits(Policy::PASSWORD);

#[derive(Default)]
pub struct Login;

#[OpenApi]
impl Login {
    /// Log in
    ///
    /// Begins a session. The answer and its timing are the same for an unknown address and a wrong password.
    #[oai(path = "/v1/auth/login", method = "post", operation_id = "login", tag = "Tag::Auth")]
    async fn login(
        &self,
        Data(state): Data<&Arc<State>>,
        allowance: Allowance,
        body: Body<Credentials>,
    ) -> Result<Found<SessionTokens>, Problem> {
        let pool = &state.core.pool;
        let Credentials { email, password } = body.0;
        let permit = allowance.for_password(&email.0).await?;
        let user = users::find_for_login(pool, &email.0).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let verified = state.passwords.verify(password.0, hash, permit).await?;
        let user = user.filter(|_| verified == Verified::Yes);
        let user = user.ok_or_else(|| Problem::new(Code::InvalidCredentials))?;
        let now = state.core.now();
        let token = NewRefreshToken::issue(state, now);
        let session =
            sessions::start(pool, now, user.id, user.token_epoch, &token.hash(), token.expires_at).await?;
        Ok(Found::new(token.answer(state, &session, now)?))
    }
}
