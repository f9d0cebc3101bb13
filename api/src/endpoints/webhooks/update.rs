use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::webhooks::{self, EndpointChanges};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::Body,
        etag,
        problem::Problem,
        reply::Found,
        values::{HookUrl, ReasonText},
    },
    state::State,
    views::{EventType, WebhookEndpoint, types_of},
};

/// Fields to change; an absent field is kept.
#[derive(Debug, Object)]
pub struct WebhookPatch {
    /// Where events are posted.
    url: Option<HookUrl>,
    /// What it is for.
    description: Option<ReasonText>,
    /// Event types it receives; empty: all.
    #[oai(validator(max_items = 20, unique_items))]
    types: Option<Vec<EventType>>,
    /// Whether it receives the name and contact of a booking's customer.
    include_customer: Option<bool>,
    /// Stop (`false`) or continue (`true`) from its position in the feed, also after it was disabled or answered 410.
    active: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("updateWebhook", Access::ADMIN).problems(problems::EDIT).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateWebhook;

#[OpenApi]
impl UpdateWebhook {
    /// Change a webhook endpoint
    ///
    /// Its URL, the events it receives, or whether it is active.
    #[oai(path = "/v1/webhooks/:id", method = "patch", operation_id = "updateWebhook", tag = "Tag::Events")]
    async fn update_webhook(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The endpoint.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<WebhookPatch>,
    ) -> Result<Found<WebhookEndpoint>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let changes = EndpointChanges {
            url: body.0.url.map(|url| url.0),
            description: body.0.description.map(|text| text.0),
            types: body.0.types.map(|types| types_of(Some(types))),
            include_customer: body.0.include_customer,
            active: body.0.active,
        };
        let endpoint =
            webhooks::update(&state.core, id.0, expected, changes, caller.sees_customers()).await?;
        let rev = endpoint.rev;
        Ok(Found::new(WebhookEndpoint::from(endpoint)).rev(rev))
    }
}
