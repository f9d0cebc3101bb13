use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{hours, pool::again_if_cut, types::PageSize};
use serde::Serialize;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Place, Problem},
        reply::Found,
        values::PageCursor,
    },
    state::State,
    views::StrandedBooking,
};

/// A page of stranded bookings by start.
#[derive(Debug, Object, Serialize)]
pub struct StrandedPage {
    /// The bookings.
    #[oai(validator(max_items = 100))]
    data: Vec<StrandedBooking>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<PageCursor>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listStrandedBookings", Access::STAFF);

#[derive(Default)]
pub struct ListStrandedBookings;

#[OpenApi]
impl ListStrandedBookings {
    /// List stranded bookings
    ///
    /// Holds, pending and confirmed bookings that have not ended and no longer fit the calendar, with the reasons: hours,
    /// closures, time off, the zone, staff, the service or its capacity changed. They are not changed until staff move or
    /// cancel them.
    #[oai(
        path = "/v1/stranded-bookings",
        method = "get",
        operation_id = "listStrandedBookings",
        tag = "Tag::Bookings"
    )]
    async fn list_stranded_bookings(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// Maximum number; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        cursor: Query<Option<PageCursor>>,
    ) -> Result<Found<StrandedPage>, Problem> {
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let (actor, cursor) = (caller.actor(), cursor.0.map(|cursor| cursor.0));
        let page = again_if_cut(|| hours::list_stranded(&state.core, &actor, limit, cursor)).await?;
        Ok(Found::new(StrandedPage {
            data: page.data.into_iter().map(StrandedBooking::from).collect(),
            next_cursor: page.next_cursor.map(PageCursor),
        }))
    }
}
