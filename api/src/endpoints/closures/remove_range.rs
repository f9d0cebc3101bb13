use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::hours;

use crate::{
    contract::{Access, Operation},
    endpoints::{Tag, range},
    http::{
        params::Query,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("removeClosures", Access::ADMIN).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct RemoveClosures;

#[OpenApi]
impl RemoveClosures {
    /// Remove the closures of a range
    ///
    /// The usual hours of these dates apply again; dates that are not closed stay as they are.
    #[oai(path = "/v1/closures", method = "delete", operation_id = "removeClosures", tag = "Tag::Catalogue")]
    async fn remove_closures(
        &self,
        Data(state): Data<&Arc<State>>,
        /// First date.
        from: Query<NaiveDate>,
        /// Last date, at most 365 days after the first.
        to: Query<NaiveDate>,
    ) -> Result<NoContent, Problem> {
        range::dates(from.0, to.0)?;
        hours::reopen_all(&state.core, from.0, to.0).await?;
        Ok(NoContent)
    }
}
