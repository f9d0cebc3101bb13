//! The caller, identified by access token or API key.

use poem::{
    FromRequest, Request, RequestBody, Result,
    http::{HeaderMap, header},
};
use punctual_core::{
    api_keys::{self, ApiKeySecret, KeyInUse, is_api_key},
    sessions::SessionRef,
    types::Actor,
    webhooks::SEES_CUSTOMERS,
};
use uuid::Uuid;

use super::Claims;
use crate::{
    http::problem::{Code, Problem},
    state::State,
};

/// The caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    claims: Option<Claims>,
    /// The API key.
    key: Option<KeyInUse>,
    /// Whether the account's address is verified; read by [`as_of_now`].
    verified: bool,
}

impl Caller {
    const GUEST: Self = Self { claims: None, key: None, verified: false };

    /// Whether the account's address is verified, if [`as_of_now`] has read it: before every write.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.verified
    }

    /// The actor for use cases.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match (self.claims, self.key) {
            (Some(claims), _) => Actor::Account { user_id: claims.user_id, role: claims.role },
            (None, Some(key)) => Actor::ApiKey { key_id: key.id },
            (None, None) => Actor::Guest,
        }
    }

    /// The API key, if the request came with one.
    #[must_use]
    pub const fn key(&self) -> Option<KeyInUse> {
        self.key
    }

    /// Whether webhook endpoints that the caller manages may receive customers' data: always, except with an API key that may
    /// not read bookings.
    #[must_use]
    pub fn sees_customers(&self) -> bool {
        self.key.is_none_or(|key| key.scopes.grant(SEES_CUSTOMERS))
    }

    /// The session of the token.
    ///
    /// # Errors
    /// `unauthenticated` for a guest.
    pub fn session_id(&self) -> Result<Uuid, Problem> {
        self.claims.map(|claims| claims.session_id).ok_or_else(|| Problem::new(Code::Unauthenticated))
    }

    /// The account. The guard refuses callers without one where an operation needs it.
    ///
    /// # Errors
    /// `unauthenticated` for a guest.
    pub fn user_id(&self) -> Result<Uuid, Problem> {
        self.claims.map(|claims| claims.user_id).ok_or_else(|| Problem::new(Code::Unauthenticated))
    }
}

impl<'a> FromRequest<'a> for Caller {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        Ok(request.data::<Self>().copied().unwrap_or(Self::GUEST))
    }
}

/// The caller with these headers. An invalid token or key is an error: its sender is never treated as a guest.
///
/// # Errors
/// `invalid_token`, `unavailable`.
pub async fn identify(state: &State, headers: &HeaderMap) -> Result<Caller, Problem> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(Caller::GUEST) };
    let token = value
        .to_str()
        .ok()
        .filter(|_| all.next().is_none())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_start())
        .ok_or_else(|| Problem::new(Code::InvalidToken))?;
    if is_api_key(token) {
        return of_key(state, token).await;
    }
    match state.tokens.verify(token, state.core.now()) {
        Some(claims) => Ok(Caller { claims: Some(claims), ..Caller::GUEST }),
        None => Err(Problem::new(Code::InvalidToken)),
    }
}

async fn of_key(state: &State, token: &str) -> Result<Caller, Problem> {
    let invalid = || Problem::new(Code::InvalidToken);
    let secret = ApiKeySecret::parse(token).ok_or_else(invalid)?;
    let key =
        api_keys::authenticate(&state.core.pool, state.core.now(), &secret).await?.ok_or_else(invalid)?;
    Ok(Caller { key: Some(key), ..Caller::GUEST })
}

/// The caller with the account's current role, not that of when the token was issued; read before every write, every
/// request of staff and wherever an operation declares it.
///
/// # Errors
/// `session_ended` when the session was logged out or its account is gone, `unavailable`.
pub async fn as_of_now(state: &State, caller: Caller) -> Result<Caller, Problem> {
    let Some(mut claims) = caller.claims else { return Ok(caller) };
    let session =
        SessionRef { user_id: claims.user_id, family_id: claims.session_id, token_epoch: claims.epoch };
    let now = state.epochs.check(session).await?;
    claims.role = now.role;
    Ok(Caller { claims: Some(claims), key: None, verified: now.verified })
}
