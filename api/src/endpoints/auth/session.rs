use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use poem_openapi::Object;
use punctual_core::sessions::{Session, TokenHash};
use serde::Serialize;

use crate::{
    auth::Claims,
    http::problem::{Code, Problem},
    state::State,
    views::Role,
};

/// The tokens of a session.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Session")]
pub struct SessionTokens {
    /// Send it as `Authorization: Bearer …`.
    #[oai(validator(max_length = 2048))]
    pub access_token: String,
    /// When the access token expires. Refresh it before.
    pub access_token_expires_at: DateTime<Utc>,
    /// Valid for one refresh, whose answer contains the next one. Keep it secret.
    #[oai(validator(min_length = 43, max_length = 43))]
    pub refresh_token: String,
    /// When the session expires unless it is refreshed before.
    pub refresh_token_expires_at: DateTime<Utc>,
    /// Role of the account.
    pub role: Role,
}

/// A new refresh token: 256 random bits.
pub struct NewRefreshToken {
    text: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

impl NewRefreshToken {
    /// Creates one at `now`.
    pub fn issue(state: &State, now: DateTime<Utc>) -> Self {
        let bytes: [u8; 32] = rand::random();
        Self { text: URL_SAFE_NO_PAD.encode(bytes), expires_at: now + state.session }
    }

    /// The stored form.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.text)
    }

    /// The answer with this token and an access token of the session.
    pub fn answer(
        self,
        state: &State,
        session: &Session,
        now: DateTime<Utc>,
    ) -> Result<SessionTokens, Problem> {
        let claims = Claims {
            user_id: session.user_id,
            session_id: session.family_id,
            role: session.role,
            epoch: session.token_epoch,
        };
        let signed = state.tokens.issue(claims, now);
        let (access_token, ends) = signed.map_err(|error| Problem::new(Code::InternalError).cause(error))?;
        Ok(SessionTokens {
            access_token,
            access_token_expires_at: ends,
            refresh_token: self.text,
            refresh_token_expires_at: self.expires_at,
            role: session.role.into(),
        })
    }
}
