use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{pool::again_if_cut, webhooks};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::{WebhookEndpoint, WebhookEndpoints},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listWebhooks", Access::ADMIN);

#[derive(Default)]
pub struct ListWebhooks;

#[OpenApi]
impl ListWebhooks {
    /// List webhook endpoints
    ///
    /// All endpoints, oldest first.
    #[oai(path = "/v1/webhooks", method = "get", operation_id = "listWebhooks", tag = "Tag::Events")]
    async fn list_webhooks(
        &self,
        Data(state): Data<&Arc<State>>,
    ) -> Result<Found<WebhookEndpoints>, Problem> {
        let all = again_if_cut(|| webhooks::list(&state.core.pool)).await?;
        Ok(Found::new(WebhookEndpoints { data: all.into_iter().map(WebhookEndpoint::from).collect() }))
    }
}
