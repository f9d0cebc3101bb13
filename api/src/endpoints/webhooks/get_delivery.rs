use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{pool::again_if_cut, webhooks};
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Delivery,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("getWebhookDelivery", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct GetWebhookDelivery;

#[OpenApi]
impl GetWebhookDelivery {
    /// Get a delivery
    ///
    /// With the posted body and the result of the last attempt.
    #[oai(
        path = "/v1/webhooks/:id/deliveries/:delivery_id",
        method = "get",
        operation_id = "getWebhookDelivery",
        tag = "Tag::Events"
    )]
    async fn get_webhook_delivery(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The endpoint.
        id: Path<Uuid>,
        /// The delivery.
        delivery_id: Path<Uuid>,
    ) -> Result<Found<Delivery>, Problem> {
        let (delivery, payload) =
            again_if_cut(|| webhooks::delivery(&state.core.pool, id.0, delivery_id.0)).await?;
        let payload = payload.map(|payload| payload.to_string());
        Ok(Found::new(Delivery { payload, ..Delivery::from(delivery) }))
    }
}
