//! Maps errors of use cases and of the framework to problems; the only place that does.

use std::time::Duration;

use poem::{
    error::{MethodNotAllowedError, NotFoundError},
    http::StatusCode,
};
use punctual_core::Error;

use super::{Code, Facts, Fault, Place, Problem};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::SessionEnded => Self::new(Code::SessionEnded),
            Error::InvalidRefreshToken => Self::new(Code::InvalidRefreshToken),
            Error::LinkVoid => Self::new(Code::LinkVoid),
            Error::LoginRequired => Self::new(Code::Unauthenticated),
            Error::Forbidden => Self::new(Code::Forbidden),
            Error::StaffOnly(detail) => Self::new(Code::Forbidden).detail(detail),
            Error::ScopeMissing(scope) => {
                Self::new(Code::ScopeMissing).detail(format!("The API key needs the scope `{scope}`."))
            }
            Error::NotFound(what) => Self::new(Code::NotFound).detail(format!("There is no such {what}.")),
            Error::EmailTaken => Self::new(Code::EmailTaken),
            Error::SlotTaken { alternatives, blocked_by } => {
                let facts = Facts { alternatives: Some(alternatives), blocked_by, ..Facts::default() };
                Self::with(Code::SlotTaken, facts)
            }
            Error::SeriesConflict(occurrences) => {
                Self::with(Code::SeriesConflict, Facts { occurrences: Some(occurrences), ..Facts::default() })
            }
            Error::VisitConflict(visit) => {
                let detail = format!("Service {} of the visit has no place: {}.", visit.no, visit.code);
                Self::with(Code::VisitConflict, Facts { visit: Some(visit), ..Facts::default() })
                    .detail(detail)
            }
            Error::InvalidTransition { from, allowed } => {
                let detail = format!("The booking is {}.", from.as_str());
                Self::with(Code::InvalidTransition, Facts { allowed: Some(allowed), ..Facts::default() })
                    .detail(detail)
            }
            Error::HasBookings(ids) => {
                Self::with(Code::HasBookings, Facts { booking_ids: Some(ids), ..Facts::default() })
            }
            Error::LastAdmin => Self::new(Code::LastAdmin),
            Error::NotResendable(why) => Self::new(Code::NotResendable).detail(why),
            Error::JobNotEligible(why) => Self::new(Code::JobNotEligible).detail(why),
            Error::IdempotencyInProgress => {
                Self::new(Code::IdempotencyInProgress).retry_after(Duration::from_secs(1))
            }
            Error::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused),
            Error::NoAddress => Self::new(Code::Unprocessable)
                .detail("This member of staff has no e-mail address: set `email` first."),
            Error::CursorExpired => Self::new(Code::CursorExpired),
            Error::HoldExpired => Self::new(Code::HoldExpired),
            Error::TooManyHolds => Self::new(Code::TooManyRequests)
                .retry_after(Duration::from_mins(1))
                .detail("You hold as much time as is allowed at once: book or release a held slot first."),
            Error::RevMismatch { current } => Self::new(Code::PreconditionFailed)
                .detail(format!("The current revision is {current}. Read it again.")),
            Error::RevRequired => Self::new(Code::PreconditionRequired),
            Error::StartInPast => Self::new(Code::StartInPast),
            Error::TooSoon => Self::new(Code::TooSoon),
            Error::TooFar => Self::new(Code::TooFar),
            Error::OutsideHours => Self::new(Code::OutsideHours),
            Error::OffGrid => Self::new(Code::OffGrid),
            Error::NoticePassed => Self::new(Code::NoticePassed),
            Error::WindowsOverlap { first, second } => {
                let fault = Fault {
                    place: Place::Body,
                    pointer: format!("/windows/{second}"),
                    code: "overlap",
                    detail: format!("overlaps with the window at /windows/{first}").into(),
                };
                Self::with(Code::Unprocessable, Facts { errors: vec![fault], ..Facts::default() })
            }
            Error::Invalid { pointer, error } => {
                let fault = Fault {
                    place: Place::Body,
                    pointer: pointer.to_owned(),
                    code: error.code,
                    detail: error.message.into(),
                };
                Self::with(Code::Unprocessable, Facts { errors: vec![fault], ..Facts::default() })
            }
            Error::Overloaded { retry_after } => Self::new(Code::Overloaded).retry_after(retry_after),
            error @ Error::Unavailable(_) => {
                Self::new(Code::Unavailable).retry_after(Duration::from_secs(1)).cause(error)
            }
            error @ Error::Internal { .. } => Self::new(Code::InternalError).cause(error),
        }
    }
}

impl Problem {
    /// The problem behind any error that reaches the edge.
    #[must_use]
    pub fn from_framework(error: poem::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(problem) => return problem,
            Err(error) => error,
        };
        if error.is::<NotFoundError>() {
            return Self::new(Code::NotFound).detail("There is nothing at this path.");
        }
        if error.is::<MethodNotAllowedError>() {
            return Self::new(Code::MethodNotAllowed);
        }
        let status = error.status();
        let code = match status {
            StatusCode::BAD_REQUEST => Code::InvalidRequest,
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::Forbidden,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Code::ContentTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
            _ => Code::InternalError,
        };
        // The text of a framework's error may quote sent values: it is dropped.
        let problem = Self::new(code);
        if code == Code::InternalError {
            problem.cause(format!("framework error of status {status}"))
        } else {
            problem
        }
    }
}
