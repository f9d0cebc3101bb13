use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::operators::{Action, QueueLimits};

use super::act;
use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Found,
        values::JobName,
    },
    state::State,
    views::ops::{OperatorAction, RateLimit},
};

/// The limits of a queue. If absent, the workers' configuration applies.
#[derive(Debug, Object)]
pub struct QueueLimitsRequest {
    /// How many of its jobs start per period, over all workers.
    limit: Option<RateLimit>,
    /// How many of its jobs with one limit key start per period; for mails the key is the recipient's domain.
    key_limit: Option<RateLimit>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("putQueueLimits", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct PutQueueLimits;

#[OpenApi]
impl PutQueueLimits {
    /// Set the limits of a queue
    ///
    /// Replaces both limits. All workers apply them within two seconds.
    #[oai(
        path = "/v1/ops/queues/:queue/limits",
        method = "put",
        operation_id = "putQueueLimits",
        tag = "Tag::Ops"
    )]
    async fn put_queue_limits(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The queue.
        queue: Path<JobName>,
        body: Body<QueueLimitsRequest>,
    ) -> Result<Found<OperatorAction>, Problem> {
        let QueueLimitsRequest { limit, key_limit } = body.0;
        let limits = QueueLimits { limit: limit.map(Into::into), key_limit: key_limit.map(Into::into) };
        act(state, &caller, Action::SetLimits(queue.0.0, limits)).await
    }
}
