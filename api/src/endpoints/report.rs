use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::reports;

use super::Tag;
use crate::{
    auth::Caller,
    contract::{Access, Operation},
    http::{
        params::Query,
        problem::{Code, Problem},
        reply::Found,
        values::MonthText,
    },
    state::State,
    views::MonthReport,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getMonthReport", Access::ADMIN).problems(&[Code::NotFound]).current();

#[derive(Default)]
pub struct GetMonthReport;

#[OpenApi]
impl GetMonthReport {
    /// Get the figures of a month
    ///
    /// Bookings that start in the month, in the business's time zone: by status, promised revenue, and booked and open time.
    #[oai(path = "/v1/reports/month", method = "get", operation_id = "getMonthReport", tag = "Tag::Bookings")]
    async fn get_month_report(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The month.
        month: Query<MonthText>,
    ) -> Result<Found<MonthReport>, Problem> {
        let report = reports::month(&state.core, &caller.actor(), month.0.0).await?;
        Ok(Found::new(report.into()))
    }
}
