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
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::OptionalBody,
        etag,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Booking,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("cancelBooking", Access::ACCOUNT)
    .problems(&[
        Code::Forbidden,
        Code::NotFound,
        Code::InvalidTransition,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::NoticePassed,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct CancelBooking;

#[OpenApi]
impl CancelBooking {
    /// Cancel a booking
    ///
    /// Cancels it and sends the cancellation. Customers may until the service's notice. Cancelling a cancelled booking
    /// changes nothing. Staff may add a `message` to the mail, or suppress the mail with `notify`.
    #[oai(
        path = "/v1/bookings/:id/cancel",
        method = "post",
        operation_id = "cancelBooking",
        tag = "Tag::Bookings"
    )]
    async fn cancel_booking(
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
            bookings::cancel_with(&state.core, &caller.actor(), id.0, expected, body.0.into()).await?;
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
