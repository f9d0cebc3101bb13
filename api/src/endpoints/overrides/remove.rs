use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::hours;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::{StrandedBooking, StrandedBookings},
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("removeOverride", Access::STAFF).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct RemoveOverride;

#[OpenApi]
impl RemoveOverride {
    /// Remove the hours of a date
    ///
    /// Administrators for anyone, staff for themselves. The answer lists bookings that no longer fit; they are not
    /// changed.
    #[oai(
        path = "/v1/staff/:id/overrides/:date",
        method = "delete",
        operation_id = "removeOverride",
        tag = "Tag::Catalogue"
    )]
    async fn remove_override(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
        /// The date, in the business's time zone.
        date: Path<NaiveDate>,
    ) -> Result<Found<StrandedBookings>, Problem> {
        let changed = hours::remove_override(&state.core, &caller.actor(), id.0, date.0).await?;
        let stranded = changed.stranded.into_iter().map(StrandedBooking::from).collect();
        Ok(Found::new(StrandedBookings { stranded }))
    }
}
