use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::bookings;
use uuid::Uuid;

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

/// How a booking is confirmed.
#[derive(Debug, Default, Object)]
pub struct ConfirmRequest {
    /// Confirm it even if part of it is now outside open hours.
    #[oai(rename = "override")]
    overriding: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("confirmBooking", Access::STAFF)
    .problems(&[
        Code::NotFound,
        Code::InvalidTransition,
        Code::SlotTaken,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::OutsideHours,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct ConfirmBooking;

#[OpenApi]
impl ConfirmBooking {
    /// Confirm a booking
    ///
    /// Staff accept a pending booking; the confirmation is sent. Hours, staff and capacity are checked again, because they
    /// may have changed since the request.
    #[oai(
        path = "/v1/bookings/:id/confirm",
        method = "post",
        operation_id = "confirmBooking",
        tag = "Tag::Bookings"
    )]
    async fn confirm_booking(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: OptionalBody<ConfirmRequest>,
    ) -> Result<Found<Booking>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let (core, actor) = (&state.core, caller.actor());
        let booking = if body.0.overriding.unwrap_or(false) {
            bookings::confirm_overriding(core, &actor, id.0, expected).await?
        } else {
            bookings::confirm(core, &actor, id.0, expected).await?
        };
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
