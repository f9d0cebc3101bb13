use chrono::{DateTime, Utc};
use poem::Response;
use punctual_core::{
    pool::again_if_cut,
    types::{Cursor, PageSize},
    webhooks::{self, Delivery, DeliveryStatus, EndpointStatus},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    AdminVisit, OpsPage,
    booking::word,
    webhooks::{has_ended, types},
    words,
};
use crate::{
    contract::Operation,
    http::problem::{Code, Place, Problem},
    pages::named,
};

/// Deliveries on one page.
const ROWS: u32 = 25;
const STATES: [DeliveryStatus; 3] =
    [DeliveryStatus::Pending, DeliveryStatus::Delivered, DeliveryStatus::Failed];

/// `/ops/webhooks/{id}`: an endpoint and its deliveries.
pub struct Webhook;

#[derive(Serialize)]
struct Facts {
    id: Uuid,
    host: String,
    status: String,
    alert: bool,
    active: bool,
    failing: Option<String>,
    known: Vec<(&'static str, String)>,
    states: Vec<String>,
    state: String,
    deliveries: Vec<Row>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Row {
    id: Uuid,
    event: String,
    kind: &'static str,
    status: String,
    alert: bool,
    says: String,
    error: String,
}

impl OpsPage for Webhook {
    const OPERATION: &'static Operation = &named("opsWebhook");
    const PATTERN: &'static str = "/ops/webhooks/{id}";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let (visit, core) = (&admin.visit, &admin.visit.state.core);
        let id = id_at(&admin, 2)?;
        let state = STATES.into_iter().find(|state| visit.query_param("status") == Some(&word(state)));
        let before =
            visit.query_param("cursor").map(Cursor::parse).transpose().map_err(invalid_at("/cursor"))?;
        let size = PageSize::new(ROWS).map_err(invalid_at("/limit"))?;
        let endpoint = again_if_cut(|| webhooks::get(&core.pool, id)).await?;
        let page = again_if_cut(|| webhooks::deliveries(&core.pool, id, state, size, before)).await?;
        let now = core.now();
        let facts = Facts {
            id,
            host: endpoint.url.authority().to_owned(),
            status: word(&endpoint.status),
            alert: has_ended(endpoint.status),
            active: endpoint.status == EndpointStatus::Active,
            failing: endpoint.failing_since.map(words::instant),
            known: vec![
                ("URL", endpoint.url.as_str().to_owned()),
                ("For", endpoint.description.as_str().to_owned()),
                ("Events", types(&endpoint)),
                (
                    "Customers",
                    if endpoint.include_customer { "with name and contact" } else { "no" }.to_owned(),
                ),
                ("Made", words::instant(endpoint.created_at)),
                ("Changed", words::instant(endpoint.updated_at)),
            ],
            states: STATES.iter().map(word).collect(),
            state: state.as_ref().map(word).unwrap_or_default(),
            deliveries: page.data.into_iter().map(|delivery| row(&delivery, now)).collect(),
            next: page.next_cursor.map(|cursor| cursor.encode()),
        };
        admin.page("webhook.html.j2", &facts)
    }
}

fn invalid_at(pointer: &'static str) -> impl Fn(punctual_core::types::ParseError) -> Problem {
    move |error| Problem::invalid_at(Place::Query, pointer, error.code, error.message)
}

/// The id in this segment of the path.
pub(super) fn id_at(admin: &AdminVisit, place: usize) -> Result<Uuid, Problem> {
    let id = admin.visit.step(place).and_then(|step| Uuid::try_parse(step).ok());
    id.ok_or_else(|| Problem::new(Code::NotFound).detail("There is no such webhook endpoint or delivery."))
}

fn row(delivery: &Delivery, now: DateTime<Utc>) -> Row {
    Row {
        id: delivery.id,
        event: delivery.public_id(),
        kind: delivery.event_type.as_str(),
        status: word(&delivery.status),
        alert: delivery.status == DeliveryStatus::Failed,
        says: says(delivery, now),
        error: delivery.error.clone().unwrap_or_default(),
    }
}

/// Attempts, last answer and duration.
fn says(delivery: &Delivery, now: DateTime<Utc>) -> String {
    let mut says = vec![match delivery.attempts {
        0 => "not posted yet".to_owned(),
        1 => "1 attempt".to_owned(),
        more => format!("{more} attempts"),
    }];
    says.extend(delivery.answer_code.map(|code| code.to_string()));
    says.extend(delivery.took_ms.filter(|_| delivery.answer_code.is_some()).map(|took| format!("{took} ms")));
    says.push(words::distance(delivery.attempted_at.unwrap_or(delivery.created_at), now));
    says.join(" · ")
}
