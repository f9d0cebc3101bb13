use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
};
use punctual_core::bookings;
use uuid::Uuid;

use super::message::MessageRequest;
use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{body::OptionalBody, etag, problem::Problem, reply::Found},
    state::State,
    views::Booking,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("declineBooking", Access::STAFF)
    .problems(problems::CHANGE)
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct DeclineBooking;

#[OpenApi]
impl DeclineBooking {
    /// Decline a booking
    ///
    /// Staff refuse a pending booking. `message` is added to the customer's mail; `notify` suppresses the mail.
    #[oai(
        path = "/v1/bookings/:id/decline",
        method = "post",
        operation_id = "declineBooking",
        tag = "Tag::Bookings"
    )]
    async fn decline_booking(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: OptionalBody<MessageRequest>,
    ) -> Result<Found<Booking>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let booking =
            bookings::decline_with(&state.core, &caller.actor(), id.0, expected, body.0.into()).await?;
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
