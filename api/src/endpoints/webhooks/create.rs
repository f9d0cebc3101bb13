use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{
    types::Reason,
    webhooks::{self, NewEndpoint},
};

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Created,
        values::{HookUrl, ReasonText},
    },
    state::State,
    views::{EventType, WebhookEndpoint, WebhookSecret, WebhookWithSecret, types_of},
};

/// A new webhook endpoint.
#[derive(Debug, Object)]
pub struct WebhookRequest {
    /// Where events are posted.
    url: HookUrl,
    /// What it is for; empty when absent.
    description: Option<ReasonText>,
    /// Event types it receives; all when absent or empty.
    #[oai(validator(max_items = 20, unique_items))]
    types: Option<Vec<EventType>>,
    /// Whether it receives the name and contact of a booking's customer; no when absent.
    include_customer: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createWebhook", Access::ADMIN)
    .problems(&[Code::Unprocessable])
    .headers(&[SuccessHeader::ETag, SuccessHeader::Location]);

#[derive(Default)]
pub struct CreateWebhook;

#[OpenApi]
impl CreateWebhook {
    /// Add a webhook endpoint
    ///
    /// It receives events from now on, signed according to Standard Webhooks 1.0. The secret is shown only in this answer.
    #[oai(path = "/v1/webhooks", method = "post", operation_id = "createWebhook", tag = "Tag::Events")]
    async fn create_webhook(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        body: Body<WebhookRequest>,
    ) -> Result<Created<WebhookWithSecret>, Problem> {
        let new = NewEndpoint {
            url: body.0.url.0,
            description: body.0.description.map_or_else(Reason::default, |text| text.0),
            types: types_of(body.0.types),
            include_customer: body.0.include_customer.unwrap_or(false),
        };
        let (endpoint, secrets) =
            webhooks::create(&state.core, &state.links, new, caller.sees_customers()).await?;
        let (rev, path) = (endpoint.rev, format!("/v1/webhooks/{}", endpoint.id));
        let WebhookSecret { secret } = secrets.into();
        let endpoint = WebhookEndpoint::from(endpoint);
        Ok(Created::new(WebhookWithSecret { endpoint, secret }).rev(rev).location(&path))
    }
}
