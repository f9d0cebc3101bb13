use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
};
use punctual_core::webhooks;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        etag,
        problem::{Code, Problem},
        reply::NoContent,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("removeWebhook", Access::ADMIN).problems(&[
    Code::NotFound,
    Code::PreconditionFailed,
    Code::PreconditionRequired,
]);

#[derive(Default)]
pub struct RemoveWebhook;

#[OpenApi]
impl RemoveWebhook {
    /// Remove a webhook endpoint
    ///
    /// With its deliveries. Nothing more is posted to it.
    #[oai(path = "/v1/webhooks/:id", method = "delete", operation_id = "removeWebhook", tag = "Tag::Events")]
    async fn remove_webhook(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The endpoint.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        webhooks::remove(&state.core, id.0, etag::expected(if_match.0.as_deref())?).await?;
        Ok(NoContent)
    }
}
