use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::bookings::ListBookings;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{params::Query, problem::Problem},
    state::State,
    views::{CsvFile, Status, bookings_file},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("exportBookings", Access::STAFF);

#[derive(Default)]
pub struct ExportBookings;

#[expect(clippy::unused_async, reason = "an operation is an async function")]
#[OpenApi]
impl ExportBookings {
    /// Export bookings
    ///
    /// As CSV, by start. A text that a spreadsheet would run as a formula begins with an apostrophe.
    #[oai(path = "/v1/bookings.csv", method = "get", operation_id = "exportBookings", tag = "Tag::Bookings")]
    async fn export_bookings(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// Those that start at this instant or later.
        from: Query<Option<DateTime<FixedOffset>>>,
        /// Those that start before this instant.
        to: Query<Option<DateTime<FixedOffset>>>,
        /// Those of this status; may be repeated.
        #[oai(validator(max_items = 8, unique_items))]
        status: Query<Option<Vec<Status>>>,
        /// Those with this member of staff.
        staff_id: Query<Option<Uuid>>,
    ) -> Result<CsvFile, Problem> {
        let which = ListBookings {
            from: from.0.map(|from| from.to_utc()),
            to: to.0.map(|to| to.to_utc()),
            statuses: status.0.unwrap_or_default().into_iter().map(|status| status.0).collect(),
            staff_id: staff_id.0,
            ..ListBookings::default()
        };
        Ok(bookings_file(&state.core, caller.actor(), which))
    }
}
