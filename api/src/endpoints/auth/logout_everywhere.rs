use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::sessions;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::NoContent},
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("logoutEverywhere", Access::ACCOUNT);

#[derive(Default)]
pub struct LogoutEverywhere;

#[OpenApi]
impl LogoutEverywhere {
    /// Log out everywhere
    ///
    /// Ends all sessions of your account, including this one. Earlier refresh tokens, and writes with earlier access
    /// tokens, are refused. An access token can read your own data until it expires.
    #[oai(
        path = "/v1/auth/logout-everywhere",
        method = "post",
        operation_id = "logoutEverywhere",
        tag = "Tag::Auth"
    )]
    async fn logout_everywhere(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
    ) -> Result<NoContent, Problem> {
        sessions::logout_everywhere(&state.core.pool, state.core.now(), caller.user_id()?).await?;
        Ok(NoContent)
    }
}
