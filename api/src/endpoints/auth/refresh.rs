use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::sessions::{self, TokenHash};

use super::session::{NewRefreshToken, SessionTokens};
use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    throttle::Policy,
};

/// A session's refresh token.
#[derive(Object)]
pub struct RefreshToken {
    /// The newest refresh token of the session.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub(super) refresh_token: String,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("refresh", Access::Public)
    .problems(&[Code::InvalidRefreshToken])
    .limits(&[Policy::RefreshAddress]);

#[derive(Default)]
pub struct Refresh;

#[OpenApi]
impl Refresh {
    /// Refresh a session
    ///
    /// Exchanges the refresh token for new tokens. Each can be used once: a second use ends the whole session, because the
    /// token may be stolen. A session ends 90 days after its login.
    #[oai(path = "/v1/auth/refresh", method = "post", operation_id = "refresh", tag = "Tag::Auth")]
    async fn refresh(
        &self,
        Data(state): Data<&Arc<State>>,
        body: Body<RefreshToken>,
    ) -> Result<Found<SessionTokens>, Problem> {
        let presented = TokenHash::of(&body.0.refresh_token);
        let now = state.core.now();
        let mut token = NewRefreshToken::issue(state, now);
        let (session, expires_at) =
            sessions::rotate(&state.core.pool, now, &presented, &token.hash(), token.expires_at).await?;
        token.expires_at = expires_at;
        Ok(Found::new(token.answer(state, &session, now)?))
    }
}
