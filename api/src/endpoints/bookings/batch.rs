use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi};
use punctual_core::{
    bookings::{self, BatchAction, Change, StaffMessage},
    types::Rev,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{AlternativeSlot, Code, Fault, Place, Problem},
        reply::Found,
        values::NoteText,
    },
    state::State,
    views::Booking,
};

/// Several changes with one message.
#[derive(Debug, Object)]
pub struct BatchRequest {
    /// The changes, made in this order.
    #[oai(validator(min_items = 1, max_items = 100))]
    changes: Vec<ChangeRequest>,
    /// A message for the mail to each customer.
    message: Option<NoteText>,
    /// Whether the customers get mails about the changes; true when absent.
    notify: Option<bool>,
}

/// A change of one booking.
#[derive(Debug, Object)]
#[oai(rename = "BookingChange")]
pub struct ChangeRequest {
    /// The booking.
    id: Uuid,
    /// The revision that you read.
    #[oai(validator(minimum(value = "1")))]
    rev: i32,
    /// The change.
    action: Action,
    /// With `move`: the new start.
    start: Option<DateTime<FixedOffset>>,
    /// With `move`: the new member of staff; the same as before when absent.
    staff_id: Option<Uuid>,
    /// With `move`: ignore grid, hours, notice and horizon; never another booking.
    #[oai(rename = "override")]
    overriding: Option<bool>,
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "BatchAction", rename_all = "snake_case")]
pub enum Action {
    /// Cancel it.
    Cancel,
    /// Move it.
    Move,
}

/// The result of each change.
#[derive(Debug, Object, Serialize)]
pub struct BatchResults {
    /// In the order of the changes.
    #[oai(validator(max_items = 100))]
    results: Vec<ChangeResult>,
}

/// The result of one change: a booking, or a problem.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "BookingChangeResult")]
pub struct ChangeResult {
    /// The booking.
    id: Uuid,
    /// The HTTP status that the change would have on its own.
    #[oai(validator(minimum(value = "200"), maximum(value = "599")))]
    status: u16,
    /// The booking after the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    booking: Option<Booking>,
    /// Why nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ChangeProblem>,
}

/// Why nothing changed.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "BookingChangeProblem")]
pub struct ChangeProblem {
    /// The code of the problem, for programs.
    #[oai(validator(max_length = 40))]
    code: String,
    /// What happened and what to do.
    #[oai(validator(max_length = 1000))]
    detail: String,
    /// With `slot_taken`: free slots near the one that is taken.
    #[oai(validator(max_items = 3))]
    #[serde(skip_serializing_if = "Option::is_none")]
    alternatives: Option<Vec<AlternativeSlot>>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("changeBookings", Access::STAFF).problems(&[Code::Overloaded]);

#[derive(Default)]
pub struct ChangeBookings;

#[OpenApi]
impl ChangeBookings {
    /// Cancel or move several bookings
    ///
    /// With one message to all, such as when a member of staff is ill. The changes are independent: a refused one does not
    /// stop the others, and the answer has the result of each. A change that was made before is not made again, so repeating
    /// the request is safe.
    #[oai(
        path = "/v1/bookings/batch",
        method = "post",
        operation_id = "changeBookings",
        tag = "Tag::Bookings"
    )]
    async fn change_bookings(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        body: Body<BatchRequest>,
    ) -> Result<Found<BatchResults>, Problem> {
        let BatchRequest { changes, message, notify } = body.0;
        let message = StaffMessage::new(message.map(|text| text.0), notify);
        let mut parsed = Vec::with_capacity(changes.len());
        let mut faults = Vec::new();
        for (place, change) in changes.into_iter().enumerate() {
            match change.into_core(place) {
                Ok(change) => parsed.push(change),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let done = bookings::change_many(&state.core, &caller.actor(), &parsed, &message).await?;
        let results =
            parsed.iter().zip(done).map(|(change, done)| ChangeResult::new(change.id, done)).collect();
        Ok(Found::new(BatchResults { results }))
    }
}

impl ChangeRequest {
    fn into_core(self, place: usize) -> Result<Change, Fault> {
        let Self { id, rev, action, start, staff_id, overriding } = self;
        let fault = |field, code, detail: &'static str| Fault {
            place: Place::Body,
            pointer: format!("/changes/{place}/{field}"),
            code,
            detail: detail.into(),
        };
        let action = match (action, start) {
            (Action::Move, Some(start)) => {
                BatchAction::Move { start: start.to_utc(), staff_id, overriding: overriding.unwrap_or(false) }
            }
            (Action::Move, None) => return Err(fault("start", "required", "is required to move a booking")),
            (Action::Cancel, None) if staff_id.is_none() && overriding.is_none() => BatchAction::Cancel,
            (Action::Cancel, _) => {
                return Err(fault("action", "conflict", "start, staff_id and override are for a move"));
            }
        };
        Ok(Change { id, rev: Rev(rev), action })
    }
}

impl ChangeResult {
    fn new(id: Uuid, done: punctual_core::Result<bookings::Booking>) -> Self {
        match done {
            Ok(booking) => Self { id, status: 200, booking: Some(booking.into()), problem: None },
            Err(error) => {
                let Problem { code, detail, facts } = Problem::from(error);
                if let Some(cause) = facts.cause {
                    tracing::error!(booking_id = %id, error = %cause, "one of several changes failed");
                }
                let alternatives = facts.alternatives.filter(|_| code == Code::SlotTaken);
                let problem = ChangeProblem {
                    code: code.as_str().to_owned(),
                    detail: detail.map_or_else(|| code.meaning().to_owned(), std::borrow::Cow::into_owned),
                    alternatives: alternatives
                        .map(|slots| slots.into_iter().map(AlternativeSlot::from).collect()),
                };
                Self { id, status: code.status().as_u16(), booking: None, problem: Some(problem) }
            }
        }
    }
}
