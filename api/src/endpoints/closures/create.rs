use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{hours, types::Reason};
use serde::Serialize;

use super::put::part;
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

/// Closures of several dates.
#[derive(Debug, Object)]
pub struct ClosuresRequest {
    /// Dates and ranges of dates, at most 400 dates in all.
    #[oai(validator(min_items = 1, max_items = 400))]
    closures: Vec<ClosureRange>,
}

/// A date, or a range of dates.
#[derive(Debug, Object)]
pub struct ClosureRange {
    /// The date, in the business's time zone.
    date: NaiveDate,
    /// Last date of a range, included; absent: the date alone.
    last_date: Option<NaiveDate>,
    /// Why, for staff; empty when absent.
    reason: Option<ReasonText>,
    /// Closed from this time of day on; absent: all day. With `end`.
    start: Option<TimeOfDay>,
    /// Closed until this time of the same day, up to `24:00`; absent: all day. With `start`.
    end: Option<TimeOfDay>,
}

/// The closures, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct ClosuresChanged {
    /// One for each date.
    #[oai(validator(max_items = 400))]
    closures: Vec<Closure>,
    /// Bookings that no longer fit. They are not changed; staff decide about them.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createClosures", Access::ADMIN).problems(&[
    Code::NotFound,
    Code::Unprocessable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct CreateClosures;

#[OpenApi]
impl CreateClosures {
    /// Close the business on several dates
    ///
    /// All of them or none; an earlier closure of a date is replaced, so repeating the request is safe. The answer lists bookings
    /// that no longer fit; they are not changed. `GET /v1/public-holidays` lists dates to choose from.
    #[oai(path = "/v1/closures", method = "post", operation_id = "createClosures", tag = "Tag::Catalogue")]
    async fn create_closures(
        &self,
        Data(state): Data<&Arc<State>>,
        body: Body<ClosuresRequest>,
    ) -> Result<Found<ClosuresChanged>, Problem> {
        let mut closures = Vec::new();
        for range in body.0.closures {
            let ClosureRange { date, last_date, reason, start, end } = range;
            let hours = part(start, end)?;
            let reason = reason.map_or_else(Reason::default, |reason| reason.0);
            let last = last_date.unwrap_or(date);
            if last < date {
                let message = "must not be before date";
                return Err(Problem::invalid_at(Place::Body, "/closures", "range_reversed", message));
            }
            // One more than are taken is refused by core.
            let dates = date.iter_days().take_while(|date| *date <= last).take(hours::MAX_CLOSURES + 1);
            closures.extend(dates.map(|date| hours::Closure { date, hours, reason: reason.clone() }));
        }
        let changed = hours::close_all(&state.core, closures).await?;
        Ok(Found::new(ClosuresChanged {
            closures: changed.value.into_iter().map(|closure| Closure::new(closure, true)).collect(),
            stranded: changed.stranded.into_iter().map(StrandedBooking::from).collect(),
        }))
    }
}
