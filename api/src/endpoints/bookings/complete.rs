use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
};
use punctual_core::bookings;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{etag, problem::Problem, reply::Found},
    state::State,
    views::Booking,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("completeBooking", Access::STAFF)
    .problems(problems::CHANGE)
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct CompleteBooking;

#[OpenApi]
impl CompleteBooking {
    /// Complete a booking
    ///
    /// Records that the appointment took place.
    #[oai(
        path = "/v1/bookings/:id/complete",
        method = "post",
        operation_id = "completeBooking",
        tag = "Tag::Bookings"
    )]
    async fn complete_booking(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
    ) -> Result<Found<Booking>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let booking = bookings::complete(&state.core, &caller.actor(), id.0, expected).await?;
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
