use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{operators, pool::again_if_cut};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::ops::{QueueList, QueueStatus},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listQueues", Access::ADMIN);

#[derive(Default)]
pub struct ListQueues;

#[OpenApi]
impl ListQueues {
    /// List the queues
    ///
    /// Jobs per state, due time of the oldest, pauses and limits.
    #[oai(path = "/v1/ops/queues", method = "get", operation_id = "listQueues", tag = "Tag::Ops")]
    async fn list_queues(&self, Data(state): Data<&Arc<State>>) -> Result<Found<QueueList>, Problem> {
        let queues = again_if_cut(|| operators::queues(&state.core)).await?;
        Ok(Found::new(QueueList { data: queues.into_iter().map(QueueStatus::from).collect() }))
    }
}
