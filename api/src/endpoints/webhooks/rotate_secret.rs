use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
};
use punctual_core::webhooks;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        etag,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::WebhookSecret,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("rotateWebhookSecret", Access::ADMIN)
    .problems(&[Code::NotFound, Code::PreconditionFailed, Code::PreconditionRequired])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct RotateWebhookSecret;

#[OpenApi]
impl RotateWebhookSecret {
    /// Give a webhook endpoint a new secret
    ///
    /// For 24 hours deliveries are also signed with the previous secret. The new one is shown only in this answer.
    #[oai(
        path = "/v1/webhooks/:id/secret",
        method = "post",
        operation_id = "rotateWebhookSecret",
        tag = "Tag::Events"
    )]
    async fn rotate_webhook_secret(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The endpoint.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
    ) -> Result<Found<WebhookSecret>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let (endpoint, secrets) = webhooks::rotate_secret(&state.core, &state.links, id.0, expected).await?;
        Ok(Found::new(secrets.into()).rev(endpoint.rev))
    }
}
