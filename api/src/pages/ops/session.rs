//! Who sits at the desk: a session of its own kind, in a cookie that no script and no other site can use.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use poem::http::{HeaderMap, HeaderValue, header};
use punctual_core::{
    pool::again_if_cut,
    sessions::{self, TokenHash},
    types::Role,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{http::problem::Problem, state::State};

/// `__Host-`: set by this very host over a secure connection, for all of its paths.
const COOKIE: &str = "__Host-ops";

/// How long a session lasts, used or not.
pub const LASTS: TimeDelta = TimeDelta::hours(8);

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

    /// What is stored of it. Not what is stored of a refresh token of the same text: neither is good in the other's
    /// place.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&format!("ops session {}", self.0))
    }

    /// What the forms of the session carry, so that no other site can send one: known to whoever knows the cookie.
    pub fn form_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("ops form {}", self.0)))
    }

    /// The field that hands it to the browser.
    pub fn set_cookie(&self) -> HeaderValue {
        cookie(&self.0, LASTS.num_seconds())
    }
}

/// The field that takes it from the browser.
pub fn clear_cookie() -> HeaderValue {
    cookie("", 0)
}

fn cookie(value: &str, seconds: i64) -> HeaderValue {
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The session of whoever sent these headers, if they are an administrator now.
///
/// # Errors
/// `unavailable`.
pub async fn of(state: &State, headers: &HeaderMap) -> Result<Option<(Token, Uuid)>, Problem> {
    let Some(token) = Token::of(headers) else { return Ok(None) };
    let (hash, now) = (token.hash(), state.core.now());
    let session = again_if_cut(|| sessions::find(&state.core.pool, now, &hash)).await?;
    Ok(session.filter(|session| session.role == Role::Admin).map(|session| (token, session.user_id)))
}
