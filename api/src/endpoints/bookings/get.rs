use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{bookings, pool::again_if_cut};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Booking,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getBooking", Access::ACCOUNT).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetBooking;

#[OpenApi]
impl GetBooking {
    /// Get a booking
    ///
    /// Staff read all bookings, customers their own.
    #[oai(path = "/v1/bookings/:id", method = "get", operation_id = "getBooking", tag = "Tag::Bookings")]
    async fn get_booking(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
    ) -> Result<Found<Booking>, Problem> {
        let actor = caller.actor();
        let booking = again_if_cut(|| bookings::get(&state.core, &actor, id.0)).await?;
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
