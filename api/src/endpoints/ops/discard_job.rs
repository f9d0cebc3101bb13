use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::operators::Action;
use punctual_queue::JobId;

use super::act;
use crate::{
    auth::Caller,
    contract::{Access, Operation, problems},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::ops::OperatorAction,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("discardJob", Access::ADMIN).problems(problems::ACT_ON_JOB);

#[derive(Default)]
pub struct DiscardJob;

#[OpenApi]
impl DiscardJob {
    /// End a live job as discarded
    ///
    /// Like cancelling, for a failed job: it is listed among the discarded jobs.
    #[oai(path = "/v1/ops/jobs/:id/discard", method = "post", operation_id = "discardJob", tag = "Tag::Ops")]
    async fn discard_job(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The job.
        #[oai(validator(minimum(value = "1"), maximum(value = "999999999999999")))]
        id: Path<i64>,
    ) -> Result<Found<OperatorAction>, Problem> {
        act(state, &caller, Action::Discard(JobId(id.0))).await
    }
}
