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
pub const OPERATION: Operation = Operation::new("pauseQueue", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct PauseQueue;

#[OpenApi]
impl PauseQueue {
    /// Pause a queue
    ///
    /// No job of it starts until it is resumed; running jobs finish. All workers apply it within two seconds.
    #[oai(
        path = "/v1/ops/queues/:queue/pause",
        method = "post",
        operation_id = "pauseQueue",
        tag = "Tag::Ops"
    )]
    async fn pause_queue(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The queue.
        queue: Path<JobName>,
    ) -> Result<Found<OperatorAction>, Problem> {
        act(state, &caller, Action::Pause(queue.0.0)).await
    }
}
