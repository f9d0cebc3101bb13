use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::webhooks;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Place, Problem},
        reply::Found,
    },
    state::State,
};

/// Which deliveries are posted again.
#[derive(Debug, Object)]
pub struct ReplayRequest {
    /// This delivery, in any status.
    delivery_id: Option<Uuid>,
    /// Deliveries made since this instant, in any status. Without this and `delivery_id`: failed ones.
    from: Option<DateTime<FixedOffset>>,
}

/// How many deliveries are posted again.
#[derive(Debug, Object, Serialize)]
pub struct Replayed {
    /// Number of deliveries, at most 1,000. A delivery that still waits is counted and not posted twice.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000")))]
    pub replayed: u64,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("replayWebhookDeliveries", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ReplayWebhookDeliveries;

#[OpenApi]
impl ReplayWebhookDeliveries {
    /// Post deliveries again
    ///
    /// One delivery, those since an instant, or failed ones: at most the oldest 1,000. Each keeps its `webhook-id`.
    #[oai(
        path = "/v1/webhooks/:id/replay",
        method = "post",
        operation_id = "replayWebhookDeliveries",
        tag = "Tag::Events"
    )]
    async fn replay_webhook_deliveries(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The endpoint.
        id: Path<Uuid>,
        body: Body<ReplayRequest>,
    ) -> Result<Found<Replayed>, Problem> {
        let (core, id) = (&state.core, id.0);
        let replayed = match (body.0.delivery_id, body.0.from) {
            (Some(delivery), None) => webhooks::replay_one(core, id, delivery).await?,
            (None, Some(from)) => webhooks::replay_from(core, id, from.to_utc()).await?,
            (None, None) => webhooks::replay_failed(core, id).await?,
            (Some(_), Some(_)) => {
                return Err(Problem::invalid_at(
                    Place::Body,
                    "/from",
                    "not_allowed",
                    "is not possible together with delivery_id: send one of them",
                ));
            }
        };
        Ok(Found::new(Replayed { replayed }))
    }
}
