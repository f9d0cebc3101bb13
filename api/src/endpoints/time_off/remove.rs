use std::sync::Arc;

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
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("removeTimeOff", Access::STAFF).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct RemoveTimeOff;

#[OpenApi]
impl RemoveTimeOff {
    /// Remove time off
    ///
    /// Administrators for anyone, staff for themselves.
    #[oai(
        path = "/v1/staff/:id/time-off/:time_off_id",
        method = "delete",
        operation_id = "removeTimeOff",
        tag = "Tag::Catalogue"
    )]
    async fn remove_time_off(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
        /// The time off.
        time_off_id: Path<Uuid>,
    ) -> Result<NoContent, Problem> {
        hours::remove_time_off(&state.core, &caller.actor(), id.0, time_off_id.0).await?;
        Ok(NoContent)
    }
}
