use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::hours;

use crate::{
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
    Operation::new("removeClosure", Access::ADMIN).problems(&[Code::NotFound, Code::Overloaded]);

#[derive(Default)]
pub struct RemoveClosure;

#[OpenApi]
impl RemoveClosure {
    /// Remove a closure
    ///
    /// The usual hours of that date apply again.
    #[oai(
        path = "/v1/closures/:date",
        method = "delete",
        operation_id = "removeClosure",
        tag = "Tag::Catalogue"
    )]
    async fn remove_closure(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The date, in the business's time zone.
        date: Path<NaiveDate>,
    ) -> Result<NoContent, Problem> {
        hours::reopen(&state.core, date.0).await?;
        Ok(NoContent)
    }
}
