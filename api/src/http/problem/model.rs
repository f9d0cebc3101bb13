use std::{borrow::Cow, fmt, time::Duration};

use punctual_core::{Alternative, BlockedBy, Occurrence, VisitConflict, types::BookingAction};
use uuid::Uuid;

use super::Code;

/// The part of a request with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The JSON body.
    Body,
    /// The query string.
    Query,
    /// The path.
    Path,
    /// A header.
    Header,
}

/// An error in a request. Never contains a sent value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The part of the request.
    pub place: Place,
    /// JSON pointer (RFC 6901) within the place; parameters and headers by name.
    pub pointer: String,
    /// Stable code, snake case.
    pub code: &'static str,
    /// What is expected, for a person.
    pub detail: Cow<'static, str>,
}

/// An error answer, before it gets its request's id.
#[derive(Debug)]
pub struct Problem {
    /// Its code.
    pub code: Code,
    /// What happened in this case, for people; the code's meaning when `None`.
    pub detail: Option<Cow<'static, str>>,
    /// Additional data; boxed, so that results stay small.
    pub facts: Box<Facts>,
}

/// Additional data of some problems.
#[derive(Debug, Default)]
pub struct Facts {
    /// Errors in the request.
    pub errors: Vec<Fault>,
    /// Free slots near the taken one.
    pub alternatives: Option<Vec<Alternative>>,
    /// The room or equipment that is missing.
    pub blocked_by: Option<BlockedBy>,
    /// Every occurrence of the requested series.
    pub occurrences: Option<Vec<Occurrence>>,
    /// The service of a visit that cannot be booked.
    pub visit: Option<Box<VisitConflict>>,
    /// Actions that the booking's status allows.
    pub allowed: Option<Vec<BookingAction>>,
    /// Bookings that prevent the change.
    pub booking_ids: Option<Vec<Uuid>>,
    /// Value of `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Methods that the path supports.
    pub allow: Option<String>,
    /// The error's cause, for the log only.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A problem without additional data.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self::with(code, Facts::default())
    }

    /// A problem with additional data.
    #[must_use]
    pub fn with(code: Code, facts: Facts) -> Self {
        Self { code, detail: None, facts: Box::new(facts) }
    }

    /// The path has other methods.
    #[must_use]
    pub fn method_not_allowed(allow: String) -> Self {
        Self::with(Code::MethodNotAllowed, Facts { allow: Some(allow), ..Facts::default() })
    }

    /// With what happened in this case.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With when to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.facts.retry_after = Some(after);
        self
    }

    /// With the cause for the log.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.facts.cause = Some(cause.into());
        self
    }

    /// An invalid request, with every place.
    #[must_use]
    pub fn invalid(errors: Vec<Fault>) -> Self {
        Self::with(Code::InvalidRequest, Facts { errors, ..Facts::default() })
    }

    /// A request with one invalid place.
    #[must_use]
    pub fn invalid_at(
        place: Place,
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::invalid(vec![Fault { place, pointer: pointer.into(), code, detail: detail.into() }])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.facts.cause.as_deref().map(|cause| cause as _)
    }
}

impl poem::error::ResponseError for Problem {
    fn status(&self) -> poem::http::StatusCode {
        self.code.status()
    }
}
