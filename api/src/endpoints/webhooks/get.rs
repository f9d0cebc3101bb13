use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{pool::again_if_cut, webhooks};
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::WebhookEndpoint,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getWebhook", Access::ADMIN).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetWebhook;

#[OpenApi]
impl GetWebhook {
    /// Get a webhook endpoint
    ///
    /// With its status and since when it fails.
    #[oai(path = "/v1/webhooks/:id", method = "get", operation_id = "getWebhook", tag = "Tag::Events")]
    async fn get_webhook(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The endpoint.
        id: Path<Uuid>,
    ) -> Result<Found<WebhookEndpoint>, Problem> {
        let endpoint = again_if_cut(|| webhooks::get(&state.core.pool, id.0)).await?;
        let rev = endpoint.rev;
        Ok(Found::new(WebhookEndpoint::from(endpoint)).rev(rev))
    }
}
