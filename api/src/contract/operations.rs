//! What an operation declares beside its handler: who may call it, which problems it answers with beside those that
//! every operation has, which headers its success carries, how often it may be called. The guard enforces it and the
//! document is written from it.

use punctual_core::types::{Actor, Role};

use crate::{
    auth::Caller,
    http::problem::{Code, Problem},
    throttle::Policy,
};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; a token that is sent must be valid all the same.
    Public,
    /// Accounts, and guests where the business takes them.
    Guests,
    /// Accounts of these roles.
    Roles(&'static [Role]),
}

impl Access {
    /// Every account.
    pub const ACCOUNT: Self = Self::Roles(&[Role::Customer, Role::Staff, Role::FrontDesk, Role::Admin]);
    /// Those who work here.
    pub const STAFF: Self = Self::Roles(&[Role::Staff, Role::FrontDesk, Role::Admin]);
    /// Those who run the business.
    pub const ADMIN: Self = Self::Roles(&[Role::Admin]);

    /// Whether the caller may.
    pub fn check(self, caller: &Caller) -> Result<(), Problem> {
        let Self::Roles(roles) = self else { return Ok(()) };
        match caller.actor() {
            Actor::Account { role, .. } if roles.contains(&role) => Ok(()),
            // The guard checks its scopes.
            Actor::ApiKey { .. } => Ok(()),
            Actor::Account { .. } => Err(Problem::new(Code::Forbidden)),
            _ => Err(Problem::new(Code::Unauthenticated)),
        }
    }
}

/// A header of an operation's success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuccessHeader {
    /// The revision or state, for `If-Match` and `If-None-Match`.
    ETag,
    /// The path of what was made.
    Location,
    /// Says that this is the stored answer of an earlier request.
    IdempotencyReplayed,
}

/// One operation.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The `operationId`.
    pub id: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Problems of its own.
    pub problems: &'static [Code],
    /// Headers of its success.
    pub headers: &'static [SuccessHeader],
    /// How often it may be asked for.
    pub limits: &'static [Policy],
    /// Whether the account is looked up even for a customer's read: otherwise a read trusts the access token.
    pub current: bool,
}

impl Operation {
    /// An operation without problems, headers or limits of its own.
    #[must_use]
    pub const fn new(id: &'static str, access: Access) -> Self {
        Self { id, access, problems: &[], headers: &[], limits: &[], current: false }
    }

    /// With these problems.
    #[must_use]
    pub const fn problems(self, problems: &'static [Code]) -> Self {
        Self { problems, ..self }
    }

    /// With these headers on success.
    #[must_use]
    pub const fn headers(self, headers: &'static [SuccessHeader]) -> Self {
        Self { headers, ..self }
    }

    /// Looks the account up, so that a session that has ended reads nothing.
    #[must_use]
    pub const fn current(self) -> Self {
        Self { current: true, ..self }
    }

    /// With these limits. Those by e-mail address count where the handler names the address.
    #[must_use]
    pub const fn limits(self, limits: &'static [Policy]) -> Self {
        Self { limits, ..self }
    }
}

/// Problems that several operations share.
pub mod problems {
    use super::Code;

    /// Of changing something that has a revision.
    pub const EDIT: &[Code] =
        &[Code::NotFound, Code::PreconditionFailed, Code::PreconditionRequired, Code::Unprocessable];

    /// Of creating something with an `Idempotency-Key`.
    pub const MAKE: &[Code] = &[Code::Unprocessable, Code::IdempotencyInProgress, Code::IdempotencyKeyReused];

    /// Of moving a booking to another status.
    pub const CHANGE: &[Code] = &[
        Code::NotFound,
        Code::InvalidTransition,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::Overloaded,
    ];

    /// Of an operator's action on a job.
    pub const ACT_ON_JOB: &[Code] = &[Code::NotFound, Code::JobNotEligible];
}
