use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{operators, pool::again_if_cut};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::ops::{Worker, WorkerList},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listWorkers", Access::ADMIN);

#[derive(Default)]
pub struct ListWorkers;

#[OpenApi]
impl ListWorkers {
    /// List the workers
    ///
    /// The live processes with their heartbeats and running jobs, and the leader.
    #[oai(path = "/v1/ops/workers", method = "get", operation_id = "listWorkers", tag = "Tag::Ops")]
    async fn list_workers(&self, Data(state): Data<&Arc<State>>) -> Result<Found<WorkerList>, Problem> {
        let workers = again_if_cut(|| operators::workers(&state.core)).await?;
        Ok(Found::new(WorkerList { data: workers.into_iter().map(Worker::from).collect() }))
    }
}
