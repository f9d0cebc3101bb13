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
pub const OPERATION: Operation = Operation::new("cancelJob", Access::ADMIN).problems(problems::ACT_ON_JOB);

#[derive(Default)]
pub struct CancelJob;

#[OpenApi]
impl CancelJob {
    /// End a live job as cancelled
    ///
    /// A waiting job ends without running, also in a paused queue. A running one is stopped within two seconds unless
    /// it is past its point of no return. A mail ended this way is not sent.
    #[oai(path = "/v1/ops/jobs/:id/cancel", method = "post", operation_id = "cancelJob", tag = "Tag::Ops")]
    async fn cancel_job(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The job.
        #[oai(validator(minimum(value = "1"), maximum(value = "999999999999999")))]
        id: Path<i64>,
    ) -> Result<Found<OperatorAction>, Problem> {
        act(state, &caller, Action::Cancel(JobId(id.0))).await
    }
}
