use std::sync::Arc;

use chrono::Weekday;
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::services::{self, ClassWindow, SingleClass};
use serde::Serialize;
use uuid::Uuid;

use super::timetable::{Timetable, TimetableDate, TimetableWindow};
use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        etag,
        problem::{Code, Place, Problem},
        reply::Found,
    },
    state::State,
    views::StrandedBooking,
};

/// The timetable of a service.
#[derive(Debug, Object)]
pub struct TimetableRequest {
    /// Weekly starts; none: the service is offered on the grid of open hours.
    #[oai(validator(max_items = 100))]
    windows: Vec<TimetableWindow>,
    /// Single future starts that differ from the weekly ones; none when absent.
    #[oai(validator(max_items = 400))]
    dates: Option<Vec<TimetableDate>>,
}

/// The new timetable, and the bookings that no longer fit.
#[derive(Debug, Object, Serialize)]
pub struct TimetableChanged {
    /// The timetable.
    timetable: Timetable,
    /// Bookings that no longer fit: of this service at other starts, and of others while a class is planned. They are not changed.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putTimetable", Access::ADMIN)
    .problems(&[
        Code::NotFound,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct PutTimetable;

#[OpenApi]
impl PutTimetable {
    /// Put the timetable of a service
    ///
    /// Replaces weekly and single starts. A class does not take place on a closed date, outside the hours of a date override, and
    /// while its member of staff is away. The answer lists bookings that no longer fit; they are not changed.
    #[oai(
        path = "/v1/services/:id/timetable",
        method = "put",
        operation_id = "putTimetable",
        tag = "Tag::Catalogue"
    )]
    async fn put_timetable(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The service.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<TimetableRequest>,
    ) -> Result<Found<TimetableChanged>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let windows = body.0.windows.iter().map(window).collect::<Result<Vec<_>, _>>()?;
        let dates = body.0.dates.unwrap_or_default().into_iter().map(|date| SingleClass {
            staff_id: date.staff_id,
            start: date.start,
            takes_place: date.takes_place,
        });
        let changed = services::put_timetable(&state.core, id.0, expected, windows, dates.collect()).await?;
        let rev = changed.value.rev;
        Ok(Found::new(TimetableChanged {
            timetable: changed.value.into(),
            stranded: changed.stranded.into_iter().map(StrandedBooking::from).collect(),
        })
        .rev(rev))
    }
}

fn window(window: &TimetableWindow) -> Result<ClassWindow, Problem> {
    let weekday =
        u8::try_from(window.weekday).ok().and_then(|day| Weekday::try_from(day.checked_sub(1)?).ok());
    let fault = || Problem::invalid_at(Place::Body, "/windows", "out_of_range", "a weekday is 1 to 7");
    Ok(ClassWindow {
        staff_id: window.staff_id,
        weekday: weekday.ok_or_else(fault)?,
        start: window.start.0,
        valid_from: window.valid_from,
        valid_until: window.valid_until,
    })
}
