//! The JSON form of a problem.

use chrono::{DateTime, FixedOffset};
use poem::{Response, http::header};
use poem_openapi::{
    ApiResponse, Enum, Object,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
};
use punctual_core::types;
use serde::Serialize;
use uuid::Uuid;

use super::Code;
use super::visit::{VisitConflict, VisitStart};
use super::{Fault, Place, Problem};

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An answer that is not a success (RFC 9457).
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Problem")]
pub struct ProblemDocument {
    /// URI of the problem's kind, with a page that explains it.
    #[oai(rename = "type", validator(max_length = 300))]
    #[serde(rename = "type")]
    pub kind: String,
    /// A short title.
    #[oai(validator(max_length = 100))]
    pub title: String,
    /// The HTTP status.
    #[oai(validator(minimum(value = "400"), maximum(value = "599")))]
    pub status: u16,
    /// What happened and what to do.
    #[oai(validator(max_length = 1000))]
    pub detail: String,
    /// `urn:uuid:` and the id of the request, which is also in `X-Request-Id` and in the logs.
    #[oai(validator(max_length = 45))]
    pub instance: String,
    /// The kind, for programs.
    #[oai(validator(max_length = 40))]
    pub code: String,
    /// All errors in the request.
    #[oai(validator(max_items = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ProblemError>>,
    /// With `slot_taken`: free slots near the one that is taken.
    #[oai(validator(max_items = 3))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternatives: Option<Vec<AlternativeSlot>>,
    /// With `slot_taken` and `visit_conflict`: the room or equipment that is missing, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<BlockedByResource>,
    /// With `series_conflict`: every occurrence, in order; those that cannot be booked have a `code`.
    #[oai(validator(max_items = 52))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<Vec<SeriesOccurrence>>,
    /// With `visit_conflict`: the service that has no place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<VisitConflict>,
    /// With `visit_conflict`: up to three starts near it at which the whole visit fits.
    #[oai(validator(max_items = 3))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visits: Option<Vec<VisitStart>>,
    /// With `invalid_transition`: the actions that the booking's status allows.
    #[oai(validator(max_items = 8))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<BookingAction>>,
    /// With `has_bookings`: the bookings that prevent it.
    #[oai(validator(max_items = 1000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_ids: Option<Vec<Uuid>>,
}

/// An error in a request.
#[derive(Debug, Object, Serialize)]
pub struct ProblemError {
    /// The part of the request.
    #[oai(rename = "in")]
    #[serde(rename = "in")]
    pub place: ProblemPlace,
    /// JSON pointer (RFC 6901) within that part; for parameters and headers, the name.
    #[oai(validator(max_length = 300))]
    pub pointer: String,
    /// Code of the error, for programs.
    #[oai(validator(max_length = 40))]
    pub code: String,
    /// What is expected.
    #[oai(validator(max_length = 1000))]
    pub detail: String,
}

/// A part of a request.
#[derive(Debug, Clone, Copy, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ProblemPlace {
    /// The JSON body.
    Body,
    /// The query string.
    Query,
    /// The path.
    Path,
    /// A header.
    Header,
}

/// An alternative slot.
#[derive(Debug, Object, Serialize)]
pub struct AlternativeSlot {
    /// When it starts.
    pub start: DateTime<FixedOffset>,
    /// When it ends.
    pub end: DateTime<FixedOffset>,
    /// Who could perform it.
    #[oai(validator(min_items = 1, max_items = 50))]
    pub staff_ids: Vec<Uuid>,
}

/// A room or a piece of equipment that is in use or out of service.
#[derive(Debug, Object, Serialize)]
pub struct BlockedByResource {
    /// The resource; absent where all of a kind are in use, or there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Uuid>,
    /// Its name; absent likewise.
    #[oai(validator(max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    #[oai(validator(max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl From<punctual_core::BlockedBy> for BlockedByResource {
    fn from(blocked_by: punctual_core::BlockedBy) -> Self {
        Self { resource_id: blocked_by.resource_id, name: blocked_by.name, kind: blocked_by.kind }
    }
}

/// A requested occurrence.
#[derive(Debug, Object, Serialize)]
pub struct SeriesOccurrence {
    /// Its number, from 1.
    #[oai(validator(minimum(value = "1"), maximum(value = "52")))]
    pub no: i16,
    /// When it starts.
    pub start: DateTime<FixedOffset>,
    /// Who performs it; absent if it has no place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_id: Option<Uuid>,
    /// Its booking; absent if none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<Uuid>,
    /// Why it has no place, as the code of a problem; absent if it has one.
    #[oai(validator(max_length = 40))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Up to three free slots near it, if it has no place.
    #[oai(validator(max_items = 3))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternatives: Option<Vec<AlternativeSlot>>,
}

/// Actions on a booking.
#[derive(Debug, Clone, Copy, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum BookingAction {
    /// A hold becomes a booking.
    Book,
    /// A hold expires, or a pending booking's start passes.
    Expire,
    /// Staff accept a pending booking.
    Confirm,
    /// Staff refuse a pending booking.
    Decline,
    /// Cancel it.
    Cancel,
    /// It is moved to another start or another member of staff.
    Reschedule,
    /// Its service, duration, member of staff or customer changes.
    Update,
    /// It took place.
    Complete,
    /// The customer did not come.
    NoShow,
}

impl From<punctual_core::Alternative> for AlternativeSlot {
    fn from(slot: punctual_core::Alternative) -> Self {
        let punctual_core::Alternative { start, end, staff_ids } = slot;
        Self { start, end, staff_ids }
    }
}

impl From<punctual_core::Occurrence> for SeriesOccurrence {
    fn from(occurrence: punctual_core::Occurrence) -> Self {
        let punctual_core::Occurrence { no, start, staff_id, booking_id, code, alternatives } = occurrence;
        let alternatives: Vec<_> = alternatives.into_iter().map(AlternativeSlot::from).collect();
        let alternatives = (!alternatives.is_empty()).then_some(alternatives);
        Self { no, start, staff_id, booking_id, code, alternatives }
    }
}

impl From<types::BookingAction> for BookingAction {
    fn from(action: types::BookingAction) -> Self {
        use types::BookingAction as Action;
        match action {
            Action::Book => Self::Book,
            Action::Expire => Self::Expire,
            Action::Confirm => Self::Confirm,
            Action::Decline => Self::Decline,
            Action::Cancel => Self::Cancel,
            Action::Reschedule => Self::Reschedule,
            Action::Update => Self::Update,
            Action::Complete => Self::Complete,
            Action::NoShow => Self::NoShow,
        }
    }
}

impl From<Fault> for ProblemError {
    fn from(fault: Fault) -> Self {
        let place = match fault.place {
            Place::Body => ProblemPlace::Body,
            Place::Query => ProblemPlace::Query,
            Place::Path => ProblemPlace::Path,
            Place::Header => ProblemPlace::Header,
        };
        Self { place, pointer: fault.pointer, code: fault.code.to_owned(), detail: fault.detail.into_owned() }
    }
}

impl Problem {
    /// The answer, with the request's id and the base of problem types.
    #[must_use]
    pub fn into_answer(self, public_url: &str, request_id: Uuid) -> Response {
        let status = self.code.status();
        let mut response = Response::builder().status(status).content_type(PROBLEM_JSON);
        if let Some(after) = self.facts.retry_after {
            let seconds = after.as_secs().max(1);
            response = response.header(header::RETRY_AFTER, seconds);
        }
        if let Some(allow) = &self.facts.allow {
            response = response.header(header::ALLOW, allow);
        }
        match self.code {
            Code::Unauthenticated => response = response.header(header::WWW_AUTHENTICATE, "Bearer"),
            Code::InvalidToken | Code::SessionEnded => {
                response = response.header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
            }
            _ => {}
        }
        response.body(self.into_json(public_url, request_id))
    }

    /// The body of the answer.
    #[must_use]
    pub fn into_json(self, public_url: &str, request_id: Uuid) -> Vec<u8> {
        serde_json::to_vec(&self.into_document(public_url, request_id)).unwrap_or_else(|error| {
            tracing::error!(%error, "a problem could not be written");
            Vec::new()
        })
    }

    fn into_document(self, public_url: &str, request_id: Uuid) -> ProblemDocument {
        let detail = match self.detail {
            Some(detail) => detail.into_owned(),
            None => self.code.meaning().to_owned(),
        };
        let errors: Vec<_> = self.facts.errors.into_iter().map(ProblemError::from).collect();
        let alternatives =
            self.facts.alternatives.map(|slots| slots.into_iter().map(AlternativeSlot::from).collect());
        let (conflict, visits, of_visit) = match self.facts.visit {
            Some(visit) => {
                let (conflict, visits) = VisitConflict::of(&visit);
                (Some(conflict), Some(visits), visit.blocked_by)
            }
            None => (None, None, None),
        };
        ProblemDocument {
            kind: format!("{public_url}/problems/{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail,
            instance: request_id.urn().to_string(),
            code: self.code.as_str().to_owned(),
            errors: (!errors.is_empty()).then_some(errors),
            alternatives,
            blocked_by: self.facts.blocked_by.or(of_visit).map(BlockedByResource::from),
            conflict,
            visits,
            occurrences: self
                .facts
                .occurrences
                .map(|occurrences| occurrences.into_iter().map(SeriesOccurrence::from).collect()),
            allowed: self.facts.allowed.map(|actions| actions.into_iter().map(Into::into).collect()),
            booking_ids: self.facts.booking_ids,
        }
    }
}

/// Registers the schema as the answer to server errors. The problems of each operation are added to the document from
/// its declaration.
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        let schema = ProblemDocument::schema_ref();
        MetaResponses {
            responses: vec![MetaResponse {
                description: "A fault of the server.",
                status: Some(500),
                status_range: None,
                content: vec![MetaMediaType { content_type: PROBLEM_JSON, schema }],
                headers: Vec::new(),
            }],
        }
    }

    fn register(registry: &mut Registry) {
        ProblemDocument::register(registry);
    }
}
