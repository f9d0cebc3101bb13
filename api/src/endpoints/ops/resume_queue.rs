use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::operators::Action;

use super::act;
use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
        values::JobName,
    },
    state::State,
    views::ops::OperatorAction,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("resumeQueue", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ResumeQueue;

#[OpenApi]
impl ResumeQueue {
    /// Resume a queue
    ///
    /// Ends a pause. Resuming a queue that is not paused changes nothing, but is audited.
    #[oai(
        path = "/v1/ops/queues/:queue/resume",
        method = "post",
        operation_id = "resumeQueue",
        tag = "Tag::Ops"
    )]
    async fn resume_queue(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The queue.
        queue: Path<JobName>,
    ) -> Result<Found<OperatorAction>, Problem> {
        act(state, &caller, Action::Resume(queue.0.0)).await
    }
}
