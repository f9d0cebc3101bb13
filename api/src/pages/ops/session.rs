//! Sessions of administrators on the ops pages.

use chrono::TimeDelta;
use poem::http::HeaderMap;
use punctual_core::{pool::again_if_cut, sessions, types::Role};
use uuid::Uuid;

use crate::{
    http::problem::Problem,
    pages::session_cookie::{SessionKind, SessionToken},
    state::State,
};

/// The session of an administrator.
pub static OPS: SessionKind = SessionKind { cookie: "__Host-ops", purpose: "ops", same_site: "Strict" };

/// How long a session lasts, used or not.
pub const LIFETIME: TimeDelta = TimeDelta::hours(8);

/// The session of these headers, if its account is still an administrator.
///
/// # Errors
/// `unavailable`.
pub async fn of(state: &State, headers: &HeaderMap) -> Result<Option<(SessionToken, Uuid)>, Problem> {
    let Some(token) = OPS.token_of(headers) else { return Ok(None) };
    let (hash, now) = (token.hash(), state.core.now());
    let session = again_if_cut(|| sessions::find(&state.core.pool, now, &hash)).await?;
    Ok(session.filter(|session| session.role == Role::Admin).map(|session| (token, session.user_id)))
}
