use punctual_queue::Payload;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

use crate::changes::{Event, Subject};

/// Posts one delivery. It carries only the id, which is also its unique key: event and endpoint are read when it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverWebhook {
    /// The delivery.
    pub delivery_id: Uuid,
}

impl Payload for DeliverWebhook {
    const KIND: &'static str = "webhook.deliver.v1";
    const QUEUE: &'static str = "webhooks";
    /// The first attempt, and one for each delay of the schedule.
    const MAX_ATTEMPTS: i32 = 10;
    const TIMEOUT: Duration = Duration::from_secs(45);
}

/// The body of a webhook: `{type, timestamp, data}` (Standard Webhooks 1.0). `customer` is included for endpoints
/// with `include_customer`.
#[must_use]
pub fn payload(event: &Event, customer: Option<Value>) -> Value {
    let mut data = match &event.subject {
        Subject::Booking { booking, previous } => {
            let mut data = json!({ "booking": booking });
            if let Some(previous) = previous {
                data["previous"] = json!(previous);
            }
            data
        }
        Subject::Customer(id) => json!({ "customer": { "id": id } }),
        Subject::Service(id) => json!({ "service": { "id": id } }),
        Subject::Staff(id) => json!({ "staff": { "id": id } }),
        Subject::Business | Subject::Test => json!({}),
    };
    if let Some(actor) = &event.actor {
        data["actor"] = json!(actor);
    }
    if let Some(customer) = customer {
        data["customer"] = customer;
    }
    json!({ "type": event.event_type, "timestamp": event.at, "data": data })
}
