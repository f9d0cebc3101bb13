use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::bookings::{self, ClassAt, StaffMessage};
use uuid::Uuid;

use super::ClassBookings;
use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Found,
        values::NoteText,
    },
    state::State,
};

/// The class to be called off.
#[derive(Debug, Object)]
pub struct CancelClassRequest {
    /// Its service.
    service_id: Uuid,
    /// Who performs it.
    staff_id: Uuid,
    /// Its start.
    start: DateTime<FixedOffset>,
    /// A text for the mail of each participant, kept with the change.
    message: Option<NoteText>,
    /// Whether the participants get mails; true when absent.
    notify: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("cancelClass", Access::STAFF).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct CancelClass;

#[OpenApi]
impl CancelClass {
    /// Cancel a class
    ///
    /// Cancels all bookings of the class or none; each participant gets one mail. Holds are given up,
    /// and that start is not offered again: the service's timetable lists it as called off. Repeating the request changes nothing.
    #[oai(path = "/v1/classes/cancel", method = "post", operation_id = "cancelClass", tag = "Tag::Bookings")]
    async fn cancel_class(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        body: Body<CancelClassRequest>,
    ) -> Result<Found<ClassBookings>, Problem> {
        let CancelClassRequest { service_id, staff_id, start, message, notify } = body.0;
        let class = ClassAt { service_id, staff_id, start: start.to_utc() };
        let message = StaffMessage::new(message.map(|text| text.0), notify);
        let cancelled = bookings::cancel_class(&state.core, &caller.actor(), class, message).await?;
        Ok(Found::new(cancelled.into()))
    }
}
