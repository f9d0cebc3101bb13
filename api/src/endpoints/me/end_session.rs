use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::sessions;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("endSession", Access::ACCOUNT).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct EndSession;

#[OpenApi]
impl EndSession {
    /// End one of your sessions
    ///
    /// Logs out one device. `POST /v1/auth/logout-everywhere` ends all sessions.
    #[oai(path = "/v1/me/sessions/:id", method = "delete", operation_id = "endSession", tag = "Tag::Me")]
    async fn end_session(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The session.
        id: Path<Uuid>,
    ) -> Result<NoContent, Problem> {
        sessions::end(&state.core.pool, state.core.now(), caller.user_id()?, id.0).await?;
        Ok(NoContent)
    }
}
