use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{pool::again_if_cut, types::PageSize, webhooks};
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Code, Place, Problem},
        reply::Found,
        values::PageCursor,
    },
    state::State,
    views::{DeliveryPage, DeliveryStatus},
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("listWebhookDeliveries", Access::ADMIN).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListWebhookDeliveries;

#[OpenApi]
impl ListWebhookDeliveries {
    /// List the deliveries of a webhook endpoint
    ///
    /// Newest first, each with its attempts and the last answer. Ended ones are kept for 30 days.
    #[oai(
        path = "/v1/webhooks/:id/deliveries",
        method = "get",
        operation_id = "listWebhookDeliveries",
        tag = "Tag::Events"
    )]
    async fn list_webhook_deliveries(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The endpoint.
        id: Path<Uuid>,
        /// Only this status.
        status: Query<Option<DeliveryStatus>>,
        /// Maximum number; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        cursor: Query<Option<PageCursor>>,
    ) -> Result<Found<DeliveryPage>, Problem> {
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let (status, cursor) = (status.0.map(Into::into), cursor.0.map(|cursor| cursor.0));
        let page =
            again_if_cut(|| webhooks::deliveries(&state.core.pool, id.0, status, limit, cursor)).await?;
        Ok(Found::new(page.into()))
    }
}
