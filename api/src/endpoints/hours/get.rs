use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{hours, pool::again_if_cut};
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
    /// By opening, from Monday on. A break is a gap between two windows.
    #[oai(validator(max_items = 84))]
    windows: Vec<Window>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    rev: i32,
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
    /// The weekly hours; overrides, closures and time off modify them.
    #[oai(path = "/v1/staff/:id/hours", method = "get", operation_id = "getHours", tag = "Tag::Catalogue")]
    async fn get_hours(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
    ) -> Result<Found<Hours>, Problem> {
        let week = again_if_cut(|| hours::week(&state.core, id.0)).await?;
        let windows = week.windows.into_iter().map(Window::from).collect();
        Ok(Found::new(Hours { windows, rev: week.rev.0 }).rev(week.rev))
    }
}
