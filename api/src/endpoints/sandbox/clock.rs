use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::sandbox;

use super::require_sandbox;
use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::SandboxClock,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getSandboxClock", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct GetSandboxClock;

#[OpenApi]
impl GetSandboxClock {
    /// Read a sandbox's test clock
    ///
    /// Only in a sandbox (`PUNCTUAL_SANDBOX=on`); elsewhere 404.
    #[oai(path = "/v1/sandbox/clock", method = "get", operation_id = "getSandboxClock", tag = "Tag::Sandbox")]
    async fn get_sandbox_clock(
        &self,
        Data(state): Data<&Arc<State>>,
    ) -> Result<Found<SandboxClock>, Problem> {
        require_sandbox(state)?;
        let read = sandbox::read(&state.core).await?;
        Ok(Found::new(SandboxClock::new(read, read.due.is_nothing())))
    }
}
