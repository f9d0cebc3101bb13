use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{hours, pool::again_if_cut};
use serde::Serialize;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::{Tag, range},
    http::{params::Query, problem::Problem, reply::Found},
    state::State,
    views::Closure,
};

/// Dates on which the business is closed.
#[derive(Debug, Object, Serialize)]
pub struct ClosureList {
    /// By date.
    #[oai(validator(max_items = 366))]
    data: Vec<Closure>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listClosures", Access::Public);

#[derive(Default)]
pub struct ListClosures;

#[OpenApi]
impl ListClosures {
    /// List closures
    ///
    /// Dates on which the whole business is closed.
    #[oai(path = "/v1/closures", method = "get", operation_id = "listClosures", tag = "Tag::Catalogue")]
    async fn list_closures(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// First date.
        from: Query<NaiveDate>,
        /// Last date, at most 365 days after the first.
        to: Query<NaiveDate>,
    ) -> Result<Found<ClosureList>, Problem> {
        range::dates(from.0, to.0)?;
        let all = again_if_cut(|| hours::closures(&state.core, from.0, to.0)).await?;
        let for_staff = caller.actor().is_staff();
        Ok(Found::new(ClosureList { data: all.into_iter().map(|c| Closure::new(c, for_staff)).collect() }))
    }
}
