use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::bookings::{self, ClassAt, ClassMove, StaffMessage};
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

/// A class, and where it is moved to.
#[derive(Debug, Object)]
pub struct MoveClassRequest {
    /// Its service.
    service_id: Uuid,
    /// Who performs it.
    staff_id: Uuid,
    /// Its start.
    start: DateTime<FixedOffset>,
    /// The new start.
    to_start: DateTime<FixedOffset>,
    /// Who performs it then; the same as before when absent.
    to_staff_id: Option<Uuid>,
    /// Pass grid, hours, notice and horizon on purpose; never another booking.
    #[oai(rename = "override")]
    overriding: Option<bool>,
    /// A text for the mail of each participant, kept with the change.
    message: Option<NoteText>,
    /// Whether the participants get mails; true when absent.
    notify: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("moveClass", Access::STAFF).problems(&[
    Code::NotFound,
    Code::InvalidTransition,
    Code::SlotTaken,
    Code::StartInPast,
    Code::TooSoon,
    Code::TooFar,
    Code::OutsideHours,
    Code::OffGrid,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct MoveClass;

#[OpenApi]
impl MoveClass {
    /// Move a class
    ///
    /// Moves all of its bookings or none, each under the terms it was promised; each participant gets one mail. Holds are given up. A
    /// class of a timetable can be moved to any start: the timetable lists the old one as called off and the new one in addition.
    #[oai(path = "/v1/classes/move", method = "post", operation_id = "moveClass", tag = "Tag::Bookings")]
    async fn move_class(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        body: Body<MoveClassRequest>,
    ) -> Result<Found<ClassBookings>, Problem> {
        let request = body.0;
        let (service_id, staff_id) = (request.service_id, request.staff_id);
        let class = ClassAt { service_id, staff_id, start: request.start.to_utc() };
        let to = ClassMove {
            start: request.to_start.to_utc(),
            staff_id: request.to_staff_id,
            overriding: request.overriding.unwrap_or(false),
            message: StaffMessage::new(request.message.map(|text| text.0), request.notify),
        };
        let moved = bookings::move_class(&state.core, &caller.actor(), class, to).await?;
        Ok(Found::new(moved.into()))
    }
}
