use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{pool::again_if_cut, sessions};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
};

/// The sessions of an account.
#[derive(Debug, Object, Serialize)]
pub struct SessionList {
    /// The session used last first.
    #[oai(validator(max_items = 1000))]
    data: Vec<AccountSession>,
}

/// One login that can still be refreshed.
#[derive(Debug, Object, Serialize)]
pub struct AccountSession {
    /// The session.
    id: Uuid,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it was last refreshed.
    refreshed_at: DateTime<Utc>,
    /// When it ends unless it is refreshed before.
    expires_at: DateTime<Utc>,
    /// Whether this request belongs to it.
    current: bool,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listSessions", Access::ACCOUNT).current();

#[derive(Default)]
pub struct ListSessions;

#[OpenApi]
impl ListSessions {
    /// List your sessions
    ///
    /// Every login of your account that has not ended.
    #[oai(path = "/v1/me/sessions", method = "get", operation_id = "listSessions", tag = "Tag::Me")]
    async fn list_sessions(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
    ) -> Result<Found<SessionList>, Problem> {
        let (user_id, current, now) = (caller.user_id()?, caller.session_id()?, state.core.now());
        let sessions = again_if_cut(|| sessions::list(&state.core.pool, now, user_id)).await?;
        let session = |session: sessions::SessionSummary| AccountSession {
            id: session.id,
            started_at: session.started_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            current: session.id == current,
        };
        Ok(Found::new(SessionList { data: sessions.into_iter().take(1000).map(session).collect() }))
    }
}
