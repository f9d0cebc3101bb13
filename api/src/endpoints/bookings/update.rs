use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::bookings::{self, BookingPatch, StaffMessage};
use uuid::Uuid;

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
    views::Booking,
};

/// What to change; what is absent stays.
#[derive(Debug, Object)]
pub struct BookingPatchRequest {
    /// What the customer wrote.
    customer_note: Option<NoteText>,
    /// A note that customers never see.
    staff_note: Option<NoteText>,
    /// The service. Its name, duration, price and buffers of today apply as a whole.
    service_id: Option<Uuid>,
    /// Duration in minutes in place of the service's; the other terms are those of today.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    duration_min: Option<u32>,
    /// The member of staff.
    staff_id: Option<Uuid>,
    /// How many seats of the class. Alone it keeps the promised price of a seat.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    seats: Option<u32>,
    /// The customer on file. They get a confirmation; the links of the former customer become void.
    customer_id: Option<Uuid>,
    /// Pass hours on purpose; never another booking.
    #[oai(rename = "override")]
    overriding: Option<bool>,
    /// A text for the customer's mail, kept with the change.
    message: Option<NoteText>,
    /// Whether the customer gets a mail about the change; true when absent. A note alone sends none.
    notify: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("updateBooking", Access::STAFF)
    .problems(&[
        Code::NotFound,
        Code::InvalidTransition,
        Code::SlotTaken,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::StartInPast,
        Code::OutsideHours,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateBooking;

#[OpenApi]
impl UpdateBooking {
    /// Change a booking
    ///
    /// Changes notes, service, duration, member of staff, seats or customer; the start stays. The calendar is checked again for
    /// hours and other bookings, and the customer gets a mail. A booking that began today can still be changed.
    #[oai(path = "/v1/bookings/:id", method = "patch", operation_id = "updateBooking", tag = "Tag::Bookings")]
    async fn update_booking(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<BookingPatchRequest>,
    ) -> Result<Found<Booking>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let request = body.0;
        let patch = BookingPatch {
            customer_note: request.customer_note.map(|text| text.0),
            staff_note: request.staff_note.map(|text| text.0),
            service_id: request.service_id,
            duration_min: request.duration_min,
            staff_id: request.staff_id,
            customer_id: request.customer_id,
            seats: request.seats,
            overriding: request.overriding.unwrap_or(false),
            message: StaffMessage::new(request.message.map(|text| text.0), request.notify),
        };
        let booking = bookings::update(&state.core, &caller.actor(), id.0, expected, patch).await?;
        let rev = booking.rev;
        Ok(Found::new(Booking::from(booking)).rev(rev))
    }
}
