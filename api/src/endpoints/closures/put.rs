use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{calendar::CivilTime, hours, types::Reason};
use serde::Serialize;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Place, Problem},
        reply::Found,
        values::{ReasonText, TimeOfDay},
    },
    state::State,
    views::{Closure, StrandedBooking},
};

/// A closure.
#[derive(Debug, Object)]
pub struct ClosureRequest {
    /// Reason, for staff; empty when absent.
    reason: Option<ReasonText>,
    /// Closed from this time of day on; absent: all day. With `end`.
    start: Option<TimeOfDay>,
    /// Closed until this time of the same day, up to `24:00`; absent: all day. With `start`.
    end: Option<TimeOfDay>,
}

/// The closed part of a day; none: all of it.
pub fn part(
    start: Option<TimeOfDay>,
    end: Option<TimeOfDay>,
) -> Result<Option<(CivilTime, CivilTime)>, Problem> {
    match (start, end) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => Ok(Some((start.0, end.0))),
        (Some(_), None) => {
            Err(Problem::invalid_at(Place::Body, "/end", "required", "is required with start"))
        }
        (None, Some(_)) => {
            Err(Problem::invalid_at(Place::Body, "/start", "required", "is required with end"))
        }
    }
}

/// The closure, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct ClosureChanged {
    /// The closure.
    closure: Closure,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putClosure", Access::ADMIN).problems(&[
    Code::NotFound,
    Code::Unprocessable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct PutClosure;

#[OpenApi]
impl PutClosure {
    /// Close the business on a date
    ///
    /// All day or for a part of it, in place of an earlier closure of that date. It takes precedence over all hours. The answer lists bookings that no longer fit; they are not
    /// changed.
    #[oai(path = "/v1/closures/:date", method = "put", operation_id = "putClosure", tag = "Tag::Catalogue")]
    async fn put_closure(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The date, in the business's time zone.
        date: Path<NaiveDate>,
        body: Body<ClosureRequest>,
    ) -> Result<Found<ClosureChanged>, Problem> {
        let reason = body.0.reason.map_or_else(Reason::default, |reason| reason.0);
        let hours = part(body.0.start, body.0.end)?;
        let changed = hours::close(&state.core, hours::Closure { date: date.0, hours, reason }).await?;
        Ok(Found::new(ClosureChanged {
            closure: Closure::new(changed.value, true),
            stranded: changed.stranded.into_iter().map(StrandedBooking::from).collect(),
        }))
    }
}
