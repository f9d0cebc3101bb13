use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{
    hours::{self, Week},
    pool::again_if_cut,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Window,
};

/// The weekly hours.
#[derive(Debug, Object, Serialize)]
pub struct Hours {
    /// Those in force today, by opening, from Monday on. A break is a gap between two windows.
    #[oai(validator(max_items = 84))]
    pub windows: Vec<Window>,
    /// Since when they apply; absent: from the first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// Weeks that apply from a later date on, by date.
    #[oai(validator(max_items = 12))]
    pub later: Vec<LaterHours>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
}

/// Weekly hours that apply from a date on.
#[derive(Debug, Object, Serialize)]
pub struct LaterHours {
    /// First date, in the business's time zone.
    valid_from: NaiveDate,
    /// By opening, from Monday on; none: no hours from then on.
    #[oai(validator(max_items = 84))]
    windows: Vec<Window>,
}

impl From<Week> for Hours {
    fn from(week: Week) -> Self {
        let later = week.later.into_iter().map(|later| LaterHours {
            valid_from: later.valid_from,
            windows: later.windows.into_iter().map(Window::from).collect(),
        });
        Self {
            windows: week.windows.into_iter().map(Window::from).collect(),
            valid_from: week.valid_from,
            later: later.collect(),
            rev: week.rev.0,
        }
    }
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getHours", Access::Public).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetHours;

#[OpenApi]
impl GetHours {
    /// Get weekly hours
    ///
    /// The weekly hours of today and those set for later; overrides, closures and time off modify them.
    #[oai(path = "/v1/staff/:id/hours", method = "get", operation_id = "getHours", tag = "Tag::Catalogue")]
    async fn get_hours(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
    ) -> Result<Found<Hours>, Problem> {
        let week = again_if_cut(|| hours::week(&state.core, id.0)).await?;
        let rev = week.rev;
        Ok(Found::new(Hours::from(week)).rev(rev))
    }
}
