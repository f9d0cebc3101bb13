//! Who is logged in to the pages: a session in a cookie that no script can read and no other site can use for a form.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use poem::{
    Response,
    http::{HeaderMap, HeaderValue, header},
};
use punctual_core::{
    pool::again_if_cut,
    sessions::{self, TokenHash},
    types::{Actor, Role},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{http::problem::Problem, pages::html, state::State};

/// `__Host-`: set by this very host over a secure connection, for all of its paths.
const COOKIE: &str = "__Host-account";

/// The secret in the cookie: 256 random bits as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one.
    pub fn new() -> Self {
        let bytes: [u8; 32] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        let fields = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, text) = pairs.find(|(name, _)| *name == COOKIE)?;
        (text.len() == 43).then(|| Self(text.to_owned()))
    }

    /// What is stored of it. Not what is stored of a refresh token or of another page's session with the same text.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&format!("account session {}", self.0))
    }

    /// What the forms of the session carry, so that no other site can send one.
    pub fn form_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("account form {}", self.0)))
    }

    /// Hands it to the browser.
    pub fn give(&self, response: &mut Response, seconds: i64) {
        set(response, &self.0, seconds);
    }
}

/// Takes the cookie from the browser.
pub fn clear(response: &mut Response) {
    set(response, "", 0);
}

fn set(response: &mut Response, value: &str, seconds: i64) {
    // Lax: a link from a mail finds its reader logged in; forms of other sites come without it.
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct SignedIn {
    pub user_id: Uuid,
    pub role: Role,
    pub token: Token,
}

impl SignedIn {
    pub const fn actor(&self) -> Actor {
        Actor::Account { user_id: self.user_id, role: self.role }
    }
}

/// The session of whoever sent these headers.
///
/// # Errors
/// `unavailable`.
pub async fn of(state: &State, headers: &HeaderMap) -> Result<Option<SignedIn>, Problem> {
    let Some(token) = Token::of(headers) else { return Ok(None) };
    let (hash, now) = (token.hash(), state.core.now());
    let session = again_if_cut(|| sessions::find(&state.core.pool, now, &hash)).await?;
    Ok(session.map(|session| SignedIn { user_id: session.user_id, role: session.role, token }))
}

/// Begins a session of an account whose password was just verified, and leads on.
///
/// # Errors
/// `session_ended` when the password was changed meanwhile.
pub async fn begin(
    state: &State,
    user_id: Uuid,
    token_epoch: i32,
    location: &str,
) -> Result<Response, Problem> {
    let (token, now) = (Token::new(), state.core.now());
    sessions::start(&state.core.pool, now, user_id, token_epoch, &token.hash(), ends(state, now)).await?;
    let mut response = html::see_other(location);
    token.give(&mut response, state.session.num_seconds());
    Ok(response)
}

/// When a session that begins now ends.
pub fn ends(state: &State, now: DateTime<Utc>) -> DateTime<Utc> {
    now + state.session
}
