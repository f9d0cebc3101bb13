use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{
    operators::{self, JobsWanted},
    pool::again_if_cut,
    types::PageSize,
};
use punctual_queue::ops::JobFilter;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Place, Problem},
        reply::Found,
        values::{JobCursor, JobName},
    },
    state::State,
    views::ops::{JobPage, JobState},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listJobs", Access::ADMIN);

#[derive(Default)]
pub struct ListJobs;

#[OpenApi]
impl ListJobs {
    /// List jobs in a state
    ///
    /// Waiting and due jobs in the order of execution, running ones longest first, ended ones newest first.
    #[oai(path = "/v1/ops/jobs", method = "get", operation_id = "listJobs", tag = "Tag::Ops")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the operation")]
    async fn list_jobs(
        &self,
        Data(state): Data<&Arc<State>>,
        /// Only this state.
        #[oai(name = "state")]
        in_state: Query<JobState>,
        /// Only this queue.
        queue: Query<Option<JobName>>,
        /// Only this kind.
        kind: Query<Option<JobName>>,
        /// Text in the unique key, limit key, note, last error or payload, ignoring case. One page scans at most 10000
        /// jobs, so it may be short or empty and still have a next one.
        #[oai(validator(max_length = 100))]
        q: Query<Option<String>>,
        /// Maximum number; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        cursor: Query<Option<JobCursor>>,
    ) -> Result<Found<JobPage>, Problem> {
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let wanted = JobsWanted {
            filter: JobFilter {
                state: in_state.0.into(),
                queue: queue.0.map(|queue| queue.0),
                kind: kind.0.map(|kind| kind.0),
            },
            text: q.0,
            limit,
            after: cursor.0.map(|cursor| cursor.place()).transpose()?,
        };
        let page = again_if_cut(|| operators::jobs(&state.core, &wanted)).await?;
        Ok(Found::new(page.into()))
    }
}
