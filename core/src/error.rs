//! Errors of use cases. Each variant is one problem of the API with the same name. Only `Unavailable` and `Internal`
//! carry a cause, which is logged once and never sent to a client.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api_keys::Scope;
use crate::types::{BookingAction, BookingStatus, ParseError, Rev};

/// Why a use case did nothing. Nothing is stored when one of these is returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The access token is of an older epoch, or its account is gone (401).
    #[error("the session has ended")]
    SessionEnded,
    /// The refresh token is unknown, expired, revoked or spent (401).
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// The link was used, has expired, or is invalid (410).
    #[error("the link is void")]
    LinkVoid,
    /// Guests are not allowed here (401).
    #[error("log in to do this")]
    LoginRequired,
    /// The actor's role does not allow this (403).
    #[error("not allowed for this role")]
    Forbidden,
    /// Only staff may set these fields (403). Holds a sentence that names them.
    #[error("{0}")]
    StaffOnly(&'static str),
    /// An API key lacks this scope (403).
    #[error("the API key needs the scope {0}")]
    ScopeMissing(Scope),
    /// The thing does not exist, or the actor may not see it (404). Holds its name: `booking`, `service` and so on.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Another account has this address (409).
    #[error("another account has this address")]
    EmailTaken,
    /// The slot is booked (409).
    #[error("the slot is taken")]
    SlotTaken {
        /// Up to three bookable slots near it.
        alternatives: Vec<Alternative>,
        /// The room or equipment that is missing; none: it is the member of staff who is busy, or the class is full.
        blocked_by: Option<BlockedBy>,
    },
    /// Occurrences of a series have no place, and all of them were to have one (409). Holds every occurrence, in order.
    #[error("occurrences of the series are not free")]
    SeriesConflict(Vec<Occurrence>),
    /// A service of a visit has no place, so nothing is booked (409).
    #[error("the visit does not fit")]
    VisitConflict(Box<VisitConflict>),
    /// The booking's status does not allow the action (409).
    #[error("a booking that is {from:?} cannot be changed so")]
    InvalidTransition {
        /// The booking's status.
        from: BookingStatus,
        /// The actions that are possible.
        allowed: Vec<BookingAction>,
    },
    /// There are future bookings (409).
    #[error("bookings stand in the way")]
    HasBookings(Vec<Uuid>),
    /// There is no other administrator (409).
    #[error("the last administrator")]
    LastAdmin,
    /// The mail cannot be sent again (409). Holds why, for a person.
    #[error("the mail cannot be sent again")]
    NotResendable(&'static str),
    /// The job's state does not allow the operator's action (409). Holds why, for a person.
    #[error("the job's state does not allow this")]
    JobNotEligible(&'static str),
    /// A request with the same idempotency key is still running (409, retry after a second).
    #[error("a request with this key is in progress")]
    IdempotencyInProgress,
    /// The idempotency key was used for another request (422).
    #[error("the key was used for another request")]
    IdempotencyKeyReused,
    /// The member of staff has no address to which a link could be mailed (422).
    #[error("the member of staff has no address")]
    NoAddress,
    /// Events after the cursor were removed from the feed (410).
    #[error("the cursor is older than the feed reaches back")]
    CursorExpired,
    /// The hold has expired, or was booked or released (410).
    #[error("the hold has expired")]
    HoldExpired,
    /// The account or guest holds as much time as it may (429 with Retry-After).
    #[error("too much time is held")]
    TooManyHolds,
    /// The row is not of the expected version (412).
    #[error("the current version is {current}")]
    RevMismatch {
        /// The row's version.
        current: Rev,
    },
    /// The row exists, and the caller named no version (428).
    #[error("the expected version is missing")]
    RevRequired,
    /// The start is not in the future (422).
    #[error("the start is in the past")]
    StartInPast,
    /// The start is nearer than the service's notice (422).
    #[error("the start is too soon")]
    TooSoon,
    /// The start is beyond the service's horizon (422).
    #[error("the start is too far ahead")]
    TooFar,
    /// The appointment does not lie within open hours (422).
    #[error("outside of opening hours")]
    OutsideHours,
    /// The start is not one of the service's slots (422).
    #[error("the start is not on the grid of slots")]
    OffGrid,
    /// The window in which customers may cancel or move has passed (422).
    #[error("the notice for this change has passed")]
    NoticePassed,
    /// Two windows of hours overlap (422). Holds their places in the list given, from 0.
    #[error("windows {first} and {second} overlap")]
    WindowsOverlap {
        /// The one that opens first.
        first: usize,
        /// The one that opens before the first has closed.
        second: usize,
    },
    /// A value is well-formed but not acceptable (422).
    #[error("{pointer}: {error}")]
    Invalid {
        /// JSON pointer (RFC 6901) of the value.
        pointer: &'static str,
        /// What is wrong with it.
        error: ParseError,
    },
    /// Too many requests wait for the same resource (503 with Retry-After).
    #[error("too many wait for the same calendar")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The database does not answer, or a wait timed out (503 with Retry-After).
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// An internal error (500).
    #[error("internal error: {context}")]
    Internal {
        /// What was being done.
        context: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<punctual_queue::Error> for Error {
    fn from(error: punctual_queue::Error) -> Self {
        match error {
            punctual_queue::Error::Database(error) => error.into(),
            error => Self::internal("the queue", error),
        }
    }
}

/// A room or a piece of equipment that is in use or out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedBy {
    /// The resource; of a kind one of them, none if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Uuid>,
    /// Whether all of its kind are in use.
    pub any: bool,
    /// What it is, once it was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its name, once it was looked up; none where all of a kind are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl BlockedBy {
    /// A resource that is not looked up yet.
    #[must_use]
    pub const fn new(resource_id: Option<Uuid>, any: bool) -> Self {
        Self { resource_id, any, kind: None, name: None }
    }
}

/// A slot offered in place of one that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End.
    pub end: DateTime<FixedOffset>,
    /// Who could perform it.
    pub staff_ids: Vec<Uuid>,
}

/// A requested occurrence of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Its number in the series, from 1.
    pub no: i16,
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// Who performs it; none if it has no place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_id: Option<Uuid>,
    /// Its booking; none if it was not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<Uuid>,
    /// Why it has no place: the code of a problem; none if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Up to three bookable slots near it, if it has no place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
}

/// A start at which all services of a visit can be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitSlot {
    /// Start of the first service, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End of the last one.
    pub end: DateTime<FixedOffset>,
    /// Its services, in order.
    pub services: Vec<VisitPart>,
}

/// A service of such a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitPart {
    /// The service.
    pub service_id: Uuid,
    /// Who would perform it.
    pub staff_id: Uuid,
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End.
    pub end: DateTime<FixedOffset>,
}

/// The service of a visit that has no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitConflict {
    /// Its number in the visit, from 1.
    pub no: usize,
    /// The service.
    pub service_id: Uuid,
    /// Why: the code of a problem.
    pub code: &'static str,
    /// The room or equipment that is missing, if that is the reason.
    pub blocked_by: Option<BlockedBy>,
    /// Up to three starts near it at which the whole visit fits.
    pub alternatives: Vec<VisitSlot>,
}

impl Error {
    /// The failure of something that several requests shared, for one of them.
    pub(crate) fn for_one_of_several(&self, context: &'static str) -> Self {
        match self {
            Self::Unavailable(error) => {
                Self::Unavailable(sqlx::Error::Io(std::io::Error::other(error.to_string())))
            }
            error => Self::internal(context, error.to_string()),
        }
    }

    /// A slot that is taken, before alternatives are searched.
    #[must_use]
    pub const fn slot_taken() -> Self {
        Self::SlotTaken { alternatives: Vec::new(), blocked_by: None }
    }

    /// An internal error from any cause.
    pub fn internal(
        context: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Internal { context, source: source.into() }
    }

    /// Whether a retry may succeed: deadlock (40P01) or
    /// serialization failure (40001).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let Self::Internal { source, .. } = self else { return false };
        source
            .downcast_ref::<sqlx::Error>()
            .and_then(sqlx::Error::as_database_error)
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| matches!(code.as_ref(), "40P01" | "40001"))
    }
}
