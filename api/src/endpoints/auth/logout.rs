use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::sessions::{self, TokenHash};

use super::refresh::RefreshToken;
use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{body::Body, problem::Problem, reply::NoContent},
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("logout", Access::Public);

#[derive(Default)]
pub struct Logout;

#[OpenApi]
impl Logout {
    /// Log out
    ///
    /// Ends the session of this refresh token. The answer is the same for an unknown token. Its access tokens can no
    /// longer write, or read what only staff may read. They can read the account's own data until they expire.
    #[oai(path = "/v1/auth/logout", method = "post", operation_id = "logout", tag = "Tag::Auth")]
    async fn logout(
        &self,
        Data(state): Data<&Arc<State>>,
        body: Body<RefreshToken>,
    ) -> Result<NoContent, Problem> {
        let presented = TokenHash::of(&body.0.refresh_token);
        sessions::logout(&state.core.pool, state.core.now(), &presented).await?;
        Ok(NoContent)
    }
}
