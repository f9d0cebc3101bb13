use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use poem::{FromRequest, Request, RequestBody, Result};
use punctual_core::{keyed_mutex::KeyedMutexGuard, types::EmailAddress};
use uuid::Uuid;

use super::{
    Counts, Fields, HashPermit, KeyedBy, Policy, fields,
    limiter::Principal,
    subject::{Subject, Token},
};
use crate::{
    http::problem::{Code, Problem},
    state::State,
};

/// The limits of one request: counted when it starts, settled by its answer.
#[derive(Clone)]
pub struct Allowance(Arc<Inner>);

struct Inner {
    state: Arc<State>,
    policies: &'static [Policy],
    address: Option<IpAddr>,
    taken: Mutex<Counted>,
}

/// Not uncounted when the request is dropped: a client that disconnects has still sent it.
#[derive(Default)]
struct Counted {
    tokens: Vec<Token>,
    locks: Vec<KeyedMutexGuard<Subject>>,
}

impl Allowance {
    /// For a request of an operation with these limits.
    #[must_use]
    pub fn new(state: Arc<State>, policies: &'static [Policy], address: Option<IpAddr>) -> Self {
        Self(Arc::new(Inner { state, policies, address, taken: Mutex::default() }))
    }

    /// Counts by the client's address; done by the guard.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub async fn for_client(&self) -> Result<(), Problem> {
        self.take(|by| by == KeyedBy::Address, Principal::Client).await
    }

    /// Counts a guest by the client's address.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub async fn for_guest(&self) -> Result<(), Problem> {
        self.take(|by| by == KeyedBy::Guest, Principal::Client).await
    }

    /// Counts by the e-mail address that the request is about. Where successes count, requests for one address are
    /// serialised, so that a failed one leaves its place to the next.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub async fn for_email(&self, email: &EmailAddress) -> Result<(), Problem> {
        self.serialize(KeyedBy::Email, Principal::Email(email)).await?;
        self.take(|by| matches!(by, KeyedBy::Email | KeyedBy::EmailAndAddress), Principal::Email(email)).await
    }

    /// Counts by the customer's account, one request after the other.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub async fn for_account(&self, user_id: Uuid) -> Result<(), Problem> {
        self.serialize(KeyedBy::Account, Principal::Account(user_id)).await?;
        self.take(|by| by == KeyedBy::Account, Principal::Account(user_id)).await
    }

    /// Counts by the API key, whatever the operation declares; done by the guard.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub async fn for_key(&self, key_id: Uuid) -> Result<(), Problem> {
        self.take_one(Policy::ApiKey, Principal::Account(key_id)).await
    }

    /// Counts one comparison of a password with that of the account with this e-mail address: by the client's address,
    /// by the account, and by both, whatever the operation declares. The only way to a [`HashPermit`] in a request.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub async fn for_password(&self, email: &EmailAddress) -> Result<HashPermit, Problem> {
        let counted: Vec<Policy> = self.taken().tokens.iter().map(|token| token.policy).collect();
        for policy in Policy::PASSWORD.iter().filter(|policy| !counted.contains(policy)) {
            self.take_one(*policy, Principal::Email(email)).await?;
        }
        Ok(HashPermit::new(self.0.state.throttle.shares(email, self.0.address)))
    }

    /// For the hash of a new password, which a link or a counted registration allows. Takes a share of the hashing queue and
    /// counts nothing.
    #[must_use]
    pub fn for_new_password(&self, email: &EmailAddress) -> HashPermit {
        HashPermit::new(self.0.state.throttle.shares(email, self.0.address))
    }

    /// Whether any active limit counts this way.
    #[must_use]
    pub fn has(&self, by: KeyedBy) -> bool {
        let limits = &self.0.state.config.limits;
        self.0.policies.iter().any(|policy| policy.by() == by && policy.limit(limits).is_some())
    }

    /// Keeps what counts, uncounts the rest, and returns the headers for the client.
    pub async fn settle(&self, status: u16, replayed: bool) -> Option<Fields> {
        let Counted { tokens, locks } = std::mem::take(&mut *self.taken());
        let made = (200..300).contains(&status) && !replayed;
        let counts = |token: &Token| {
            status != 429
                && match token.policy.counts() {
                    Counts::All => true,
                    Counts::Successes => made,
                    Counts::Failures => status == 401,
                }
        };
        let mut left = Vec::with_capacity(tokens.len());
        for token in &tokens {
            let given_back = token.decision.granted && !counts(token);
            if given_back {
                self.0.state.throttle.give_back(token).await;
            }
            left.push(token.decision.left + u32::from(given_back));
        }
        drop(locks);
        Fields::of(tokens.iter().zip(left))
    }

    async fn take(&self, which: impl Fn(KeyedBy) -> bool, principal: Principal<'_>) -> Result<(), Problem> {
        for policy in self.0.policies.iter().filter(|policy| which(policy.by())) {
            self.take_one(*policy, principal).await?;
        }
        Ok(())
    }

    async fn take_one(&self, policy: Policy, principal: Principal<'_>) -> Result<(), Problem> {
        let Some(token) = self.0.state.throttle.take(policy, principal, self.0.address).await else {
            return Ok(());
        };
        let (granted, wait) = (token.decision.granted, token.decision.wait);
        self.taken().tokens.push(token);
        if !granted {
            let wait = Duration::from_secs(fields::seconds(wait));
            return Err(Problem::new(Code::TooManyRequests).detail(policy.refusal()).retry_after(wait));
        }
        Ok(())
    }

    /// Waits for other requests of the same subject where successes count, so that a failed one leaves its place to the next.
    async fn serialize(&self, by: KeyedBy, principal: Principal<'_>) -> Result<(), Problem> {
        if self.has(by) && self.0.policies.iter().any(|policy| policy.counts() == Counts::Successes) {
            let lock = self.0.state.throttle.lock(principal).await;
            let lock =
                lock.ok_or_else(|| Problem::new(Code::Overloaded).retry_after(Duration::from_secs(1)))?;
            self.taken().locks.push(lock);
        }
        Ok(())
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> FromRequest<'a> for Allowance {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let allowance = request.data::<Self>().cloned();
        Ok(allowance.ok_or_else(|| Problem::new(Code::InternalError).cause("the operation has no limits"))?)
    }
}
