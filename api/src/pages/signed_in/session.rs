//! Sessions of customers on the pages.

use chrono::{DateTime, Utc};
use poem::{
    Response,
    http::{HeaderMap, header},
};
use punctual_core::{
    pool::again_if_cut,
    sessions,
    types::{Actor, Role},
};
use uuid::Uuid;

use crate::{
    http::problem::Problem,
    pages::{
        html,
        session_cookie::{SessionKind, SessionToken},
    },
    state::State,
};

/// The session of an account. The cookie is sent with links from mails, but not with forms of other sites.
pub static ACCOUNT: SessionKind =
    SessionKind { cookie: "__Host-account", purpose: "account", same_site: "Lax" };

/// A logged-in customer.
#[derive(Clone)]
pub struct SignedIn {
    pub user_id: Uuid,
    pub role: Role,
    pub token: SessionToken,
}

impl SignedIn {
    pub const fn actor(&self) -> Actor {
        Actor::Account { user_id: self.user_id, role: self.role }
    }
}

/// The session of these headers.
///
/// # Errors
/// `unavailable`.
pub async fn of(state: &State, headers: &HeaderMap) -> Result<Option<SignedIn>, Problem> {
    let Some(token) = ACCOUNT.token_of(headers) else { return Ok(None) };
    let (hash, now) = (token.hash(), state.core.now());
    let session = again_if_cut(|| sessions::find(&state.core.pool, now, &hash)).await?;
    Ok(session.map(|session| SignedIn { user_id: session.user_id, role: session.role, token }))
}

/// Begins a session of an account whose password was just verified, and redirects.
///
/// # Errors
/// `session_ended` when the password was changed meanwhile.
pub async fn begin(
    state: &State,
    user_id: Uuid,
    token_epoch: i32,
    location: &str,
) -> Result<Response, Problem> {
    let (token, now) = (ACCOUNT.new_token(), state.core.now());
    sessions::start(&state.core.pool, now, user_id, token_epoch, &token.hash(), ends(state, now)).await?;
    let mut response = html::see_other(location);
    give(&token, state, &mut response);
    Ok(response)
}

/// Sets the cookie.
pub fn give(token: &SessionToken, state: &State, response: &mut Response) {
    response.headers_mut().insert(header::SET_COOKIE, token.set_cookie(state.session.num_seconds()));
}

/// Removes the cookie.
pub fn clear(response: &mut Response) {
    response.headers_mut().insert(header::SET_COOKIE, ACCOUNT.clear_cookie());
}

/// Expiry of a session that begins now.
pub fn ends(state: &State, now: DateTime<Utc>) -> DateTime<Utc> {
    now + state.session
}
