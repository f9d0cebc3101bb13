use poem::Response;
use punctual_core::{
    pool::again_if_cut,
    webhooks::{self, DeliveryStatus},
};
use serde::Serialize;
use uuid::Uuid;

use super::{AdminVisit, OpsPage, booking::word, webhook::id_at, words};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/ops/webhooks/{id}/deliveries/{delivery}`: the posted body and the answer.
pub struct WebhookDelivery;

#[derive(Serialize)]
struct Facts {
    id: Uuid,
    endpoint: Uuid,
    event: String,
    status: String,
    alert: bool,
    booking: Option<Uuid>,
    known: Vec<(&'static str, String)>,
    /// None once the event was removed.
    payload: Option<String>,
    answer: String,
}

impl OpsPage for WebhookDelivery {
    const OPERATION: &'static Operation = &named("opsWebhookDelivery");
    const PATTERN: &'static str = "/ops/webhooks/{id}/deliveries/{delivery}";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let (endpoint, id) = (id_at(&admin, 2)?, id_at(&admin, 4)?);
        let (delivery, payload) = again_if_cut(|| webhooks::delivery(&core.pool, endpoint, id)).await?;
        let now = core.now();
        let at = |at| format!("{} ({})", words::instant(at), words::distance(at, now));
        let known = [
            ("Event", Some(delivery.event_type.as_str().to_owned())),
            ("Attempts", Some(delivery.attempts.to_string())),
            ("Last attempt", delivery.attempted_at.map(at)),
            ("Answer", delivery.answer_code.map(|code| code.to_string())),
            (
                "Took",
                delivery.took_ms.filter(|_| delivery.answer_code.is_some()).map(|took| format!("{took} ms")),
            ),
            ("Error", delivery.error.clone()),
            ("Made", Some(at(delivery.created_at))),
        ];
        let facts = Facts {
            id,
            endpoint,
            event: delivery.public_id(),
            status: word(&delivery.status),
            alert: delivery.status == DeliveryStatus::Failed,
            booking: delivery.booking_id,
            known: known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            payload: payload.map(|payload| serde_json::to_string_pretty(&payload).unwrap_or_default()),
            answer: delivery.answer.unwrap_or_default(),
        };
        admin.page("webhook_delivery.html.j2", &facts)
    }
}
