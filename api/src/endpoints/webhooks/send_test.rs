use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::webhooks;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Created,
    },
    state::State,
    views::Delivery,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("sendTestWebhook", Access::ADMIN)
    .problems(&[Code::NotFound])
    .headers(&[SuccessHeader::Location]);

#[derive(Default)]
pub struct SendTestWebhook;

#[OpenApi]
impl SendTestWebhook {
    /// Post a test event to a webhook endpoint
    ///
    /// An event `webhook.test`, whatever types the endpoint receives. Read the delivery for its result.
    #[oai(
        path = "/v1/webhooks/:id/test",
        method = "post",
        operation_id = "sendTestWebhook",
        tag = "Tag::Events"
    )]
    async fn send_test_webhook(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The endpoint.
        id: Path<Uuid>,
    ) -> Result<Created<Delivery>, Problem> {
        let delivery = webhooks::send_test(&state.core, id.0).await?;
        let path = format!("/v1/webhooks/{}/deliveries/{}", id.0, delivery.id);
        Ok(Created::new(Delivery::from(delivery)).location(&path))
    }
}
