use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{operators, pool::again_if_cut, types::PageSize};
use punctual_queue::JobId;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Place, Problem},
        reply::Found,
        values::PageCursor,
    },
    state::State,
    views::ops::OperatorActionPage,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listOperatorActions", Access::ADMIN);

#[derive(Default)]
pub struct ListOperatorActions;

#[OpenApi]
impl ListOperatorActions {
    /// List operators' actions
    ///
    /// Actions over the API, the ops page and the command line, newest first.
    #[oai(path = "/v1/ops/actions", method = "get", operation_id = "listOperatorActions", tag = "Tag::Ops")]
    async fn list_operator_actions(
        &self,
        Data(state): Data<&Arc<State>>,
        /// Only this job.
        #[oai(validator(minimum(value = "1"), maximum(value = "999999999999999")))]
        job_id: Query<Option<i64>>,
        /// Maximum number; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        cursor: Query<Option<PageCursor>>,
    ) -> Result<Found<OperatorActionPage>, Problem> {
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let (job, cursor) = (job_id.0.map(JobId), cursor.0.map(|cursor| cursor.0));
        let page = again_if_cut(|| operators::actions(&state.core, job, limit, cursor)).await?;
        Ok(Found::new(page.into()))
    }
}
