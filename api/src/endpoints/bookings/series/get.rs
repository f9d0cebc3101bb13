use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::bookings;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Series,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getSeries", Access::ACCOUNT).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetSeries;

#[OpenApi]
impl GetSeries {
    /// Get a series
    ///
    /// A series with all its bookings, in any status. Customers see their own.
    #[oai(path = "/v1/series/:id", method = "get", operation_id = "getSeries", tag = "Tag::Bookings")]
    async fn get_series(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The series.
        id: Path<Uuid>,
    ) -> Result<Found<Series>, Problem> {
        let series = bookings::get_series(&state.core, &caller.actor(), id.0).await?;
        let rev = series.rev;
        Ok(Found::new(series.into()).rev(rev))
    }
}
