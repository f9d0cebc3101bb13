use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{operators, pool::again_if_cut};
use punctual_queue::JobId;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::ops::JobWithHistory,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getJob", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct GetJob;

#[OpenApi]
impl GetJob {
    /// Get a job with its history of errors
    ///
    /// Completed jobs are kept for a day, other ended jobs for seven.
    #[oai(path = "/v1/ops/jobs/:id", method = "get", operation_id = "getJob", tag = "Tag::Ops")]
    async fn get_job(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The job.
        #[oai(validator(minimum(value = "1"), maximum(value = "999999999999999")))]
        id: Path<i64>,
    ) -> Result<Found<JobWithHistory>, Problem> {
        let job = again_if_cut(|| operators::job(&state.core, JobId(id.0))).await?;
        Ok(Found::new(job.into()))
    }
}
