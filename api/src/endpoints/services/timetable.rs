use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{
    pool::again_if_cut,
    services::{self, ServiceTimetable},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
        values::TimeOfDay,
    },
    state::State,
};

/// When a service takes place.
#[derive(Debug, Object, Serialize)]
pub struct Timetable {
    /// Weekly starts. With any, the service is offered at these alone, and no other service is offered then with the same member of
    /// staff, whether or not somebody has booked. None: it is offered on the grid of open hours.
    #[oai(validator(max_items = 100))]
    pub windows: Vec<TimetableWindow>,
    /// Single future starts that differ from the weekly ones.
    #[oai(validator(max_items = 400))]
    pub dates: Vec<TimetableDate>,
    /// The revision of the service, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
}

/// A weekly start.
#[derive(Debug, Object, Serialize)]
pub struct TimetableWindow {
    /// Who performs it.
    pub staff_id: Uuid,
    /// Day of the start: 1 is Monday, 7 is Sunday (ISO 8601).
    #[oai(validator(minimum(value = "1"), maximum(value = "7")))]
    pub weekday: u32,
    /// The start, `00:00` to `23:59` in the business's zone. It lasts as long as the service, and need not be in weekly hours.
    pub start: TimeOfDay,
    /// First date on which it takes place.
    pub valid_from: NaiveDate,
    /// Last date, included; absent: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<NaiveDate>,
}

/// A single start.
#[derive(Debug, Object, Serialize)]
pub struct TimetableDate {
    /// Who performs it.
    pub staff_id: Uuid,
    /// The start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// True: a class in addition. False: it was called off and is not offered.
    pub takes_place: bool,
}

impl From<ServiceTimetable> for Timetable {
    fn from(timetable: ServiceTimetable) -> Self {
        let windows = timetable.windows.into_iter().map(|window| TimetableWindow {
            staff_id: window.staff_id,
            weekday: window.weekday.number_from_monday(),
            start: TimeOfDay(window.start),
            valid_from: window.valid_from,
            valid_until: window.valid_until,
        });
        let dates = timetable.dates.into_iter().map(|date| TimetableDate {
            staff_id: date.staff_id,
            start: date.start,
            takes_place: date.takes_place,
        });
        Self { windows: windows.collect(), dates: dates.collect(), rev: timetable.rev.0 }
    }
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getTimetable", Access::Public)
    .problems(&[Code::NotFound])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetTimetable;

#[OpenApi]
impl GetTimetable {
    /// Get the timetable of a service
    ///
    /// Weekly starts, such as Tuesdays at 19:00 from 5 January on, and single starts that differ.
    #[oai(
        path = "/v1/services/:id/timetable",
        method = "get",
        operation_id = "getTimetable",
        tag = "Tag::Catalogue"
    )]
    async fn get_timetable(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The service.
        id: Path<Uuid>,
    ) -> Result<Found<Timetable>, Problem> {
        let timetable = again_if_cut(|| services::timetable(&state.core, id.0)).await?;
        let rev = timetable.rev;
        Ok(Found::new(Timetable::from(timetable)).rev(rev))
    }
}
