use std::sync::Arc;

use chrono::TimeDelta;
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{operators, pool::again_if_cut};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{params::Query, problem::Problem, reply::Found, values::JobName},
    state::State,
    views::ops::{QueueHistory, QueueSample},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getQueueHistory", Access::ADMIN);

#[derive(Default)]
pub struct GetQueueHistory;

#[OpenApi]
impl GetQueueHistory {
    /// Get samples of a queue
    ///
    /// Two samples per minute of the last hours, taken while a worker leads. An unknown queue has none.
    #[oai(
        path = "/v1/ops/queues/:queue/history",
        method = "get",
        operation_id = "getQueueHistory",
        tag = "Tag::Ops"
    )]
    async fn get_queue_history(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The queue.
        queue: Path<JobName>,
        /// Hours until now; default 1.
        #[oai(validator(minimum(value = "1"), maximum(value = "24")))]
        hours: Query<Option<u32>>,
    ) -> Result<Found<QueueHistory>, Problem> {
        let from = state.core.now() - TimeDelta::hours(hours.0.unwrap_or(1).into());
        let samples = again_if_cut(|| operators::history(&state.core, &queue.0.0, from)).await?;
        Ok(Found::new(QueueHistory { data: samples.into_iter().map(QueueSample::from).collect() }))
    }
}
