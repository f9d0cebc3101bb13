use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::feeds;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::problem::{Code, Problem},
    state::State,
    views::calendar_file::{CalendarFile, Reader},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getBookingCalendar", Access::ACCOUNT)
    .problems(&[Code::NotFound])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetBookingCalendar;

#[OpenApi]
impl GetBookingCalendar {
    /// Get a booking as a calendar file
    ///
    /// The current appointment for a calendar (RFC 5545). The UID is permanent, SEQUENCE is the revision.
    #[oai(
        path = "/v1/bookings/:id/calendar.ics",
        method = "get",
        operation_id = "getBookingCalendar",
        tag = "Tag::Bookings"
    )]
    async fn get_booking_calendar(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
    ) -> Result<CalendarFile, Problem> {
        let actor = caller.actor();
        let (business, entry) = feeds::entry(&state.core, &actor, id.0).await?;
        let reader = if actor.is_staff() { Reader::Staff } else { Reader::Customer };
        Ok(CalendarFile::of_booking(&business, &entry, reader))
    }
}
