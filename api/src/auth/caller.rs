//! Who asks, as their token or API key says.

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

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    claims: Option<Claims>,
    /// The API key, which is no account.
    key: Option<KeyInUse>,
    /// Whether the account's address is known to be its owner's; asked with [`as_of_now`].
    verified: bool,
}

impl Caller {
    const GUEST: Self = Self { claims: None, key: None, verified: false };

    /// Whether a link sent to the account's address was followed, as far as this was asked: before every write.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.verified
    }

    /// As the use cases want it.
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

    /// Whether webhook endpoints that the caller manages may be told of customers: always, but with an API key that sees
    /// no bookings.
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

    /// The account; the guard lets nobody without one reach an operation that needs one.
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

/// Who sent these headers. A token or key that is sent and not valid is an error: its sender is never taken for a guest.
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

/// The caller with the role that the account has now, not when the token was issued; asked before every write, every
/// request of staff and wherever an operation says so.
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
