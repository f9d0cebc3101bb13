use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{calendar, hours};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Fault, Place, Problem},
        reply::Found,
    },
    state::State,
    views::{DateOverride, DayWindow, StrandedBooking},
};

/// The hours of one date.
#[derive(Debug, Object)]
pub struct DateOverrideRequest {
    /// All windows of the date; they may touch but not overlap. None: closed that day.
    #[oai(validator(max_items = 12))]
    windows: Vec<DayWindow>,
}

/// The new hours of the date, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct DateOverrideChanged {
    /// The date and its windows.
    #[oai(rename = "override")]
    #[serde(rename = "override")]
    own: DateOverride,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putOverride", Access::STAFF).problems(&[
    Code::NotFound,
    Code::Unprocessable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct PutOverride;

#[OpenApi]
impl PutOverride {
    /// Set the hours of a date
    ///
    /// Replaces the hours of the date: administrators for anyone, staff for themselves. A window of the day before ends
    /// at its midnight. The answer lists bookings that no longer fit; they are not changed.
    #[oai(
        path = "/v1/staff/:id/overrides/:date",
        method = "put",
        operation_id = "putOverride",
        tag = "Tag::Catalogue"
    )]
    async fn put_override(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
        /// The date, in the business's time zone.
        date: Path<NaiveDate>,
        body: Body<DateOverrideRequest>,
    ) -> Result<Found<DateOverrideChanged>, Problem> {
        let own = hours::DateOverride { date: date.0, windows: parse(body.0.windows)? };
        let changed = hours::put_override(&state.core, &caller.actor(), id.0, own).await?;
        Ok(Found::new(DateOverrideChanged {
            own: DateOverride::from(changed.value),
            stranded: changed.stranded.into_iter().map(StrandedBooking::from).collect(),
        }))
    }
}

fn parse(windows: Vec<DayWindow>) -> Result<Vec<calendar::DayWindow>, Problem> {
    let mut parsed = Vec::with_capacity(windows.len());
    let mut faults = Vec::new();
    for (index, window) in windows.into_iter().enumerate() {
        match calendar::DayWindow::new(window.start.0, window.end.0) {
            Ok(window) => parsed.push(window),
            Err(_) => faults.push(Fault {
                place: Place::Body,
                pointer: format!("/windows/{index}/start"),
                code: "format",
                detail: "a window opens between 00:00 and 23:59".into(),
            }),
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(Problem::invalid(faults)) }
}
