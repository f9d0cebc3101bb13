//! Commands that show webhook endpoints with their deliveries, and post again. Their JSON uses the API's names.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use punctual_core::types::PageSize;
use punctual_core::webhooks::{self, Delivery, DeliveryStatus, Endpoint};
use punctual_core::{Core, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use super::table;

/// Commands on webhooks.
#[derive(Subcommand)]
pub enum WebhooksCommand {
    /// Deliveries of an endpoint, newest first
    Deliveries {
        /// Id of the endpoint
        endpoint: Uuid,
        /// Only deliveries in this status: pending, delivered or failed
        #[arg(long, value_parser = status)]
        status: Option<DeliveryStatus>,
        /// Number of rows, up to 100
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
    /// Post a test event to an endpoint
    Test {
        /// Id of the endpoint
        endpoint: Uuid,
    },
    /// Post failed deliveries of an endpoint again, up to 1,000
    Replay {
        /// Id of the endpoint
        endpoint: Uuid,
        /// Only this delivery, in whatever status
        #[arg(long, value_name = "ID", conflicts_with = "from")]
        delivery: Option<Uuid>,
        /// All deliveries made since this instant, in whatever status, such as 2027-05-04T10:00:00Z
        #[arg(long, value_name = "INSTANT")]
        from: Option<DateTime<Utc>>,
    },
}

fn status(text: &str) -> std::result::Result<DeliveryStatus, String> {
    serde_json::from_value(json!(text)).map_err(|_| "expected pending, delivered or failed".to_owned())
}

/// Runs a command on webhooks; without one, lists the endpoints.
pub async fn run(core: &Core, json: bool, command: Option<WebhooksCommand>) -> Result<()> {
    match command {
        None => endpoints(core, json).await,
        Some(WebhooksCommand::Deliveries { endpoint, status, limit }) => {
            deliveries(core, json, endpoint, status, limit).await
        }
        Some(WebhooksCommand::Test { endpoint }) => {
            let made = webhooks::send_test(core, endpoint).await?;
            print_result(
                json,
                &delivery_json(&made),
                &format!("a test event is posted: delivery {}", made.id),
            );
            Ok(())
        }
        Some(WebhooksCommand::Replay { endpoint, delivery, from }) => {
            let replayed = match (delivery, from) {
                (Some(id), _) => webhooks::replay_one(core, endpoint, id).await?,
                (None, Some(from)) => webhooks::replay_from(core, endpoint, from).await?,
                (None, None) => webhooks::replay_failed(core, endpoint).await?,
            };
            print_result(json, &json!({ "replayed": replayed }), &format!("posted again: {replayed}"));
            Ok(())
        }
    }
}

fn print_result(json: bool, value: &Value, text: &str) {
    if json { println!("{value}") } else { println!("{text}") }
}

async fn endpoints(core: &Core, json: bool) -> Result<()> {
    let endpoints = webhooks::list(&core.pool).await?;
    if json {
        println!("{}", json!({ "data": endpoints.iter().map(endpoint_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let rows: Vec<_> = endpoints
        .iter()
        .map(|endpoint| {
            [
                endpoint.id.to_string(),
                word(endpoint.status),
                endpoint.failing_since.map(instant).unwrap_or_default(),
                endpoint.url.as_str().to_owned(),
                endpoint.description.as_str().to_owned(),
            ]
        })
        .collect();
    table::print(["ENDPOINT", "IS", "FAILING SINCE", "URL", "DESCRIPTION"], &rows);
    Ok(())
}

async fn deliveries(
    core: &Core,
    json: bool,
    endpoint: Uuid,
    status: Option<DeliveryStatus>,
    limit: u32,
) -> Result<()> {
    let size = PageSize::new(limit).unwrap_or_default();
    let found = webhooks::deliveries(&core.pool, endpoint, status, size, None).await?.data;
    if json {
        println!("{}", json!({ "data": found.iter().map(delivery_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let rows: Vec<_> = found
        .iter()
        .map(|delivery| {
            [
                delivery.id.to_string(),
                delivery.public_id(),
                delivery.event_type.to_string(),
                word(delivery.status),
                delivery.attempts.to_string(),
                delivery.answer_code.map(|code| code.to_string()).unwrap_or_default(),
                delivery.took_ms.map(|took| format!("{took} ms")).unwrap_or_default(),
                delivery.error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table::print(["DELIVERY", "EVENT", "TYPE", "IS", "ATTEMPTS", "ANSWER", "TOOK", "ERROR"], &rows);
    Ok(())
}

fn endpoint_json(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description.as_str(),
        "types": endpoint.types,
        "include_customer": endpoint.include_customer,
        "status": endpoint.status,
        "failing_since": endpoint.failing_since,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    })
}

fn delivery_json(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "event_id": delivery.public_id(),
        "event_type": delivery.event_type,
        "booking_id": delivery.booking_id,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "answer_code": delivery.answer_code,
        "answer": delivery.answer,
        "error": delivery.error,
        "took_ms": delivery.took_ms,
        "attempted_at": delivery.attempted_at,
        "created_at": delivery.created_at,
    })
}

/// The name of a status, as the API writes it.
fn word(status: impl serde::Serialize) -> String {
    json!(status).as_str().unwrap_or_default().to_owned()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
