use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{api_keys, pool::again_if_cut};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::{ApiKey, ApiKeys},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listApiKeys", Access::ADMIN);

#[derive(Default)]
pub struct ListApiKeys;

#[OpenApi]
impl ListApiKeys {
    /// List API keys
    ///
    /// The newest 1,000, also revoked and expired ones, newest first. The keys themselves are not shown.
    #[oai(path = "/v1/api-keys", method = "get", operation_id = "listApiKeys", tag = "Tag::Auth")]
    async fn list_api_keys(&self, Data(state): Data<&Arc<State>>) -> Result<Found<ApiKeys>, Problem> {
        let all = again_if_cut(|| api_keys::list(&state.core.pool)).await?;
        Ok(Found::new(ApiKeys { data: all.into_iter().map(ApiKey::from).collect() }))
    }
}
