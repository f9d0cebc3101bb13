use poem::Response;
use punctual_core::{
    pool::again_if_cut,
    webhooks::{self, Endpoint, EndpointStatus},
};
use serde::Serialize;

use super::{AdminVisit, OpsPage, booking::word, words};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/ops/webhooks`: the webhook endpoints.
pub struct Webhooks;

#[derive(Serialize)]
struct Facts {
    endpoints: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    host: String,
    description: String,
    status: String,
    alert: bool,
    types: String,
    failing: Option<String>,
}

impl OpsPage for Webhooks {
    const OPERATION: &'static Operation = &named("opsWebhooks");
    const PATTERN: &'static str = "/ops/webhooks";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let (endpoints, now) = (again_if_cut(|| webhooks::list(&core.pool)).await?, core.now());
        let row = |endpoint: Endpoint| Row {
            id: endpoint.id.to_string(),
            host: endpoint.url.authority().to_owned(),
            description: endpoint.description.as_str().to_owned(),
            status: word(&endpoint.status),
            alert: has_ended(endpoint.status),
            types: types(&endpoint),
            failing: endpoint.failing_since.map(|since| words::span((now - since).num_seconds())),
        };
        admin.page("webhooks.html.j2", &Facts { endpoints: endpoints.into_iter().map(row).collect() })
    }
}

/// Whether it ended by itself: disabled or gone.
pub(super) fn has_ended(status: EndpointStatus) -> bool {
    matches!(status, EndpointStatus::Disabled | EndpointStatus::Gone)
}

/// The event types it receives.
pub(super) fn types(endpoint: &Endpoint) -> String {
    let names: Vec<_> = endpoint.types.iter().map(|event_type| event_type.as_str()).collect();
    if names.is_empty() { "all events".to_owned() } else { names.join(", ") }
}
