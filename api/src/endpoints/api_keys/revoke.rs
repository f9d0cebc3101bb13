use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::api_keys;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("revokeApiKey", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct RevokeApiKey;

#[OpenApi]
impl RevokeApiKey {
    /// Revoke an API key
    ///
    /// Its next request is refused. This cannot be undone. A revoked key is not changed.
    #[oai(path = "/v1/api-keys/:id", method = "delete", operation_id = "revokeApiKey", tag = "Tag::Auth")]
    async fn revoke_api_key(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The key's id.
        id: Path<Uuid>,
    ) -> Result<NoContent, Problem> {
        api_keys::revoke(&state.core, id.0).await?;
        Ok(NoContent)
    }
}
