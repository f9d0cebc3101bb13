use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{api_keys, pool::again_if_cut, types::PageSize};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Place, Problem},
        reply::Found,
        values::PageCursor,
    },
    state::State,
    views::ApiKeys,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listApiKeys", Access::ADMIN);

#[derive(Default)]
pub struct ListApiKeys;

#[OpenApi]
impl ListApiKeys {
    /// List API keys
    ///
    /// Newest first, also revoked and expired ones. The keys themselves are not shown.
    #[oai(path = "/v1/api-keys", method = "get", operation_id = "listApiKeys", tag = "Tag::Auth")]
    async fn list_api_keys(
        &self,
        Data(state): Data<&Arc<State>>,
        /// How many at most; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<PageCursor>>,
    ) -> Result<Found<ApiKeys>, Problem> {
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let cursor = cursor.0.map(|cursor| cursor.0);
        let page = again_if_cut(|| api_keys::list(&state.core.pool, limit, cursor)).await?;
        Ok(Found::new(page.into()))
    }
}
