use std::sync::Arc;

use chrono::{NaiveDate, Weekday};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::{
    calendar::{DayWindow, WeeklyWindow},
    hours::{self, Changed, Week},
};
use serde::Serialize;
use uuid::Uuid;

use super::get::{Hours, LaterHours};
use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        etag,
        problem::{Code, Fault, Place, Problem},
        reply::Found,
    },
    state::State,
    views::{StrandedBooking, Window},
};

/// Weekly hours.
#[derive(Debug, Object)]
pub struct HoursRequest {
    /// All windows of the week; they may touch but not overlap. None: closed all week.
    #[oai(validator(max_items = 84))]
    windows: Vec<Window>,
    /// First date on which they apply, after today; absent: they replace the hours in force today.
    valid_from: Option<NaiveDate>,
}

/// The new weekly hours, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct HoursChanged {
    /// Those in force today, by opening, from Monday on.
    #[oai(validator(max_items = 84))]
    windows: Vec<Window>,
    /// Since when they apply; absent: from the first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<NaiveDate>,
    /// Weeks that apply from a later date on, by date.
    #[oai(validator(max_items = 12))]
    later: Vec<LaterHours>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    rev: i32,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

impl From<Changed<Week>> for HoursChanged {
    fn from(changed: Changed<Week>) -> Self {
        let Hours { windows, valid_from, later, rev } = changed.value.into();
        let stranded = changed.stranded.into_iter().map(StrandedBooking::from).collect();
        Self { windows, valid_from, later, rev, stranded }
    }
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putHours", Access::STAFF)
    .problems(&[
        Code::NotFound,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct PutHours;

#[OpenApi]
impl PutHours {
    /// Put weekly hours
    ///
    /// Replaces the weekly hours in force today, or with `valid_from` sets those from a later date on: administrators for anyone,
    /// staff for themselves. The answer lists bookings that no longer fit; they are not changed.
    #[oai(path = "/v1/staff/:id/hours", method = "put", operation_id = "putHours", tag = "Tag::Catalogue")]
    async fn put_hours(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<HoursRequest>,
    ) -> Result<Found<HoursChanged>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let windows = parse(body.0.windows)?;
        let actor = caller.actor();
        let changed = match body.0.valid_from {
            None => hours::put_week(&state.core, &actor, id.0, expected, windows).await?,
            Some(from) => hours::put_week_from(&state.core, &actor, id.0, expected, from, windows).await?,
        };
        let rev = changed.value.rev;
        Ok(Found::new(HoursChanged::from(changed)).rev(rev))
    }
}

fn parse(windows: Vec<Window>) -> Result<Vec<WeeklyWindow>, Problem> {
    let mut parsed = Vec::with_capacity(windows.len());
    let mut faults = Vec::new();
    for (index, window) in windows.into_iter().enumerate() {
        let weekday =
            u8::try_from(window.weekday).ok().and_then(|day| Weekday::try_from(day.checked_sub(1)?).ok());
        match (weekday, DayWindow::new(window.start.0, window.end.0)) {
            (Some(weekday), Ok(window)) => parsed.push(WeeklyWindow { weekday, window }),
            _ => faults.push(Fault {
                place: Place::Body,
                pointer: format!("/windows/{index}/start"),
                code: "format",
                detail: "a window opens between 00:00 and 23:59".into(),
            }),
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(Problem::invalid(faults)) }
}
