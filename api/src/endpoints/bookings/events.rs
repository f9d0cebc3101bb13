use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{bookings, pool::again_if_cut};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::{BookingEvent, BookingEvents},
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("listBookingEvents", Access::ACCOUNT).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListBookingEvents;

#[OpenApi]
impl ListBookingEvents {
    /// List a booking's changes
    ///
    /// Its audit trail, one entry for each revision, oldest first.
    #[oai(
        path = "/v1/bookings/:id/events",
        method = "get",
        operation_id = "listBookingEvents",
        tag = "Tag::Bookings"
    )]
    async fn list_booking_events(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
    ) -> Result<Found<BookingEvents>, Problem> {
        let actor = caller.actor();
        let all = again_if_cut(|| bookings::events(&state.core, &actor, id.0)).await?;
        Ok(Found::new(BookingEvents { data: all.into_iter().map(BookingEvent::from).collect() }))
    }
}
