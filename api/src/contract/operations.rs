//! Declaration of an operation beside its handler: who may call it, its problems beside the common ones, its success
//! headers, its limits. The guard enforces it and the document is written from it.

use punctual_core::types::{Actor, Role};

use crate::{
    auth::Caller,
    http::problem::{Code, Problem},
    throttle::Policy,
};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; a token that is sent must still be valid.
    Public,
    /// Accounts, and guests where the business takes them.
    Guests,
    /// Accounts of these roles.
    Roles(&'static [Role]),
}

impl Access {
    /// Every account.
    pub const ACCOUNT: Self = Self::Roles(&[Role::Customer, Role::Staff, Role::FrontDesk, Role::Admin]);
    /// Staff.
    pub const STAFF: Self = Self::Roles(&[Role::Staff, Role::FrontDesk, Role::Admin]);
    /// Administrators.
    pub const ADMIN: Self = Self::Roles(&[Role::Admin]);

    /// Whether the caller has access.
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
    /// The path of the created object.
    Location,
    /// Marks the stored answer of an earlier request.
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
    /// Its limits.
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

    /// Looks the account up, so that an ended session reads nothing.
    #[must_use]
    pub const fn current(self) -> Self {
        Self { current: true, ..self }
    }

    /// With these limits. The handler counts those by e-mail address, because it knows the address.
    #[must_use]
    pub const fn limits(self, limits: &'static [Policy]) -> Self {
        Self { limits, ..self }
    }
}

/// Problems that several operations share.
pub mod problems {
    use super::Code;

    /// For changes of an object with a revision.
    pub const EDIT: &[Code] =
        &[Code::NotFound, Code::PreconditionFailed, Code::PreconditionRequired, Code::Unprocessable];

    /// For creation with an `Idempotency-Key`.
    pub const MAKE: &[Code] = &[Code::Unprocessable, Code::IdempotencyInProgress, Code::IdempotencyKeyReused];

    /// For changes of a booking's status.
    pub const CHANGE: &[Code] = &[
        Code::NotFound,
        Code::InvalidTransition,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::Overloaded,
    ];

    /// For an operator's action on a job.
    pub const ACT_ON_JOB: &[Code] = &[Code::NotFound, Code::JobNotEligible];
}
