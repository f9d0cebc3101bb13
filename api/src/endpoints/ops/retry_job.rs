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
pub const OPERATION: Operation = Operation::new("retryJob", Access::ADMIN).problems(problems::ACT_ON_JOB);

#[derive(Default)]
pub struct RetryJob;

#[OpenApi]
impl RetryJob {
    /// Run a job now
    ///
    /// For waiting and ended jobs, with one more attempt; an expired job may run again. It does not resend an ended
    /// mail (`mail.send.v1`): use the operation of the booking's mails.
    #[oai(path = "/v1/ops/jobs/:id/retry", method = "post", operation_id = "retryJob", tag = "Tag::Ops")]
    async fn retry_job(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The job.
        #[oai(validator(minimum(value = "1"), maximum(value = "999999999999999")))]
        id: Path<i64>,
    ) -> Result<Found<OperatorAction>, Problem> {
        act(state, &caller, Action::Retry(JobId(id.0))).await
    }
}
