use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::bookings::{self, Move, StaffMessage};
use uuid::Uuid;

use super::limit;
use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        etag,
        problem::{Code, Problem},
        reply::Found,
        values::NoteText,
    },
    state::State,
    throttle::{Allowance, Policy},
    views::Booking,
};

/// Where a booking is moved to. The service stays.
#[derive(Debug, Object)]
pub struct RescheduleRequest {
    /// The new start, as `GET /v1/slots` lists it.
    start: DateTime<FixedOffset>,
    /// The new member of staff; the same as before when absent.
    staff_id: Option<Uuid>,
    /// For staff: ignore grid, hours, notice and horizon; never another booking.
    #[oai(rename = "override")]
    overriding: Option<bool>,
    /// For staff: use the service's current name, duration, price and buffers instead of the promised ones.
    current_terms: Option<bool>,
    /// For staff: a message for the customer's mail, stored with the change.
    message: Option<NoteText>,
    /// For staff: whether the customer gets a mail about the change; true when absent.
    notify: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("rescheduleBooking", Access::ACCOUNT)
    .problems(&[
        Code::Forbidden,
        Code::NotFound,
        Code::InvalidTransition,
        Code::SlotTaken,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::StartInPast,
        Code::TooSoon,
        Code::TooFar,
        Code::OutsideHours,
        Code::OffGrid,
        Code::NoticePassed,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag])
    .limits(&[Policy::MoveEmail]);

#[derive(Default)]
pub struct RescheduleBooking;

#[OpenApi]
impl RescheduleBooking {
    /// Move a booking
    ///
    /// Moves it: the same id, the next revision. Name, duration, price and buffers stay as promised. Reminders are planned
    /// again, and the customer gets a mail. Customers may until the service's notice.
    #[oai(
        path = "/v1/bookings/:id/reschedule",
        method = "post",
        operation_id = "rescheduleBooking",
        tag = "Tag::Bookings"
    )]
    async fn reschedule_booking(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        allowance: Allowance,
        /// The booking.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<RescheduleRequest>,
    ) -> Result<Found<Booking>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let actor = caller.actor();
        let RescheduleRequest { start, staff_id, overriding, current_terms, message, notify } = body.0;
        limit::count(state, &allowance, &caller, None).await?;
        let to = Move {
            overriding: overriding.unwrap_or(false),
            current_terms: current_terms.unwrap_or(false),
            message: StaffMessage::new(message.map(|text| text.0), notify),
            ..Move::to(start.to_utc(), staff_id)
        };
        let booking = bookings::reschedule(&state.core, &actor, id.0, expected, to).await?;
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
