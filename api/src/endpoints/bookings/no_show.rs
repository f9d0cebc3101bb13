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
pub const OPERATION: Operation =
    Operation::new("markNoShow", Access::STAFF).problems(problems::CHANGE).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct NoShowBooking;

#[OpenApi]
impl NoShowBooking {
    /// Mark a no-show
    ///
    /// Records that the customer did not come.
    #[oai(
        path = "/v1/bookings/:id/no-show",
        method = "post",
        operation_id = "markNoShow",
        tag = "Tag::Bookings"
    )]
    async fn no_show_booking(
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
        let booking = bookings::no_show(&state.core, &caller.actor(), id.0, expected).await?;
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
